"""The filter language of --where and of the screen's filter box, compiled to a vectorised test of a Table.

    expression  comparisons joined by ``and``, ``or``, ``not`` and parentheses (``&&``, ``||``, ``!`` too)
    comparison  COLUMN VALUE                    the same as COLUMN = VALUE
                COLUMN = != < <= > >= VALUE     numbers take units: 50ms, 2MB, 10kpps, 1.5Gbit/s, 0x10, 3k
                COLUMN ~ PATTERN   COLUMN !~    regular expression, anywhere in the text
                COLUMN in (VALUE, …)   COLUMN in 10.0.0.0/8   COLUMN not in …
                COLUMN covers ADDRESS           the prefix in the column contains it
                has COLUMN   COLUMN is absent   COLUMN is present
                COLUMN                          of a true-or-false column: it is true

Words compare without regard to case and know their synonyms (``established`` is ss's ESTAB); a list or object
satisfies a comparison when any of its elements does. What is absent satisfies no comparison, != and !~ included;
``not`` turns the whole answer round, so ``not (drops > 0)`` keeps the rows whose drops are not known.
"""

from nettui.query.parser import RESERVED, Query, QueryError, UnknownColumn, compile

__all__ = ["RESERVED", "Query", "QueryError", "UnknownColumn", "compile"]
