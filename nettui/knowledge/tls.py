"""TLS in the kernel (tls), from /proc/net/tls_stat."""

from __future__ import annotations

from nettui.knowledge.entry import Counter, Direction
from nettui.knowledge.traffic import traffic

SOCKETS = "nettui report sockets --where 'ulp = tls' --columns src,sport,dst,dport,ulp_info,process"
DOCUMENT = "Documentation/networking/tls.rst; "


def rekey_error(way: str, direction: Direction, words: str) -> Counter:
    return Counter(
        name=f"tls.{way}RekeyError",
        layer="tcp",
        direction=direction,
        severity="loss",
        counts=f"New keys for {words} that could not be set.",
        cause="process set a wrong new key",
        causes=("a key of another cipher or version than the session's", "no memory"),
        remedies=(SOCKETS,),
        since="6.14",
        source=DOCUMENT + "net/tls/tls_main.c, do_tls_setsockopt_conf",
    )


TLS = (
    *traffic(
        "tcp",
        "tls",
        "",
        {
            "CurrTxSw": "A level: sessions whose sent data the CPU encrypts now.",
            "CurrRxSw": "A level: sessions whose received data the CPU decrypts now.",
            "CurrTxDevice": "A level: sessions whose sent data the device encrypts now.",
            "CurrRxDevice": "A level: sessions whose received data the device decrypts now.",
            "TxSw": "Sessions opened whose sent data the CPU encrypts.",
            "RxSw": "Sessions opened whose received data the CPU decrypts.",
            "TxDevice": "Sessions opened whose sent data the device encrypts.",
            "RxDevice": "Sessions opened whose received data the device decrypts.",
        },
        since="5.5",
    ),
    *traffic(
        "tcp",
        "tls",
        "",
        {
            "TxRekeyOk": "New keys set for sending in open sessions.",
            "RxRekeyOk": "New keys set for receiving in open sessions.",
            "RxRekeyReceived": "KeyUpdate messages received: the process must set a new key.",
        },
        since="6.14",
    ),
    Counter(
        name="tls.DecryptError",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="TLS records that could not be decrypted or authenticated; the connection ends with an error.",
        cause="wrong key, or data changed on the way",
        causes=(
            "the process gave the kernel a wrong key or sequence number",
            "data changed on the way, or by a faulty device (checksum right, content wrong)",
            "a sender with zerocopy that changed data while it was being sent",
        ),
        remedies=(SOCKETS, "ethtool -K DEV tls-hw-rx-offload off  # is the device at fault? costs CPU"),
        since="5.5",
        source=DOCUMENT + "net/tls/tls_sw.c, tls_decrypt_sw, tls_decrypt_done",
    ),
    Counter(
        name="tls.RxDeviceResync",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="Times that a decrypting device lost its place in the stream and was told where it is.",
        cause="loss or reordering on the way here",
        causes=("segments lost or out of order: the CPU decrypts until the device has found its place",),
        remedies=(SOCKETS, "nettui report protocols --where 'counter = TcpExt.TCPOFOQueue'  # out of order?"),
        since="5.5",
        source=DOCUMENT + "net/tls/tls_device.c, tls_device_resync_rx",
    ),
    *(
        Counter(
            name=f"tls.{name}",
            layer="tcp",
            direction="rx",
            severity="noise",
            counts=counts,
            cause="TLS_RX_EXPECT_NO_PAD set, and padding came",
            causes=("the sender pads its records, or sends records that are not data",),
            remedies=(SOCKETS,),
            part_of=part_of,
            since="6.0",
            source=DOCUMENT + "net/tls/tls_sw.c, tls_decrypt_sw",
        )
        for name, part_of, counts in (
            (
                "DecryptRetry",
                (),
                "Records decrypted twice, because they were padded or no data records (alerts, new keys).",
            ),
            ("RxNoPadViolation", ("tls.DecryptRetry",), "Data records decrypted twice, because they were padded."),
        )
    ),
    rekey_error("Tx", "tx", "sending"),
    rekey_error("Rx", "rx", "receiving"),
)
