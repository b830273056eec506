"""Rules with every xtables match and target that iptables 1.8.9 has, with every option: arguments of iptables."""

from __future__ import annotations

from tests.xt_rules_targets import TARGETS4, TARGETS6, TARGETS_BOTH

# Each line: the arguments after "-A INPUT" in the table "filter", or "TABLE CHAIN: arguments".
BOTH = """
-m comment --comment plain
-m comment --comment "two words"
-m comment --comment 'it"s \\ quoted'"'"'s'
-m comment --comment "ends with tab\t"
-m comment --comment "100%s é"
-m comment --comment ""
-m conntrack --ctstate NEW
-m conntrack --ctstate RELATED,ESTABLISHED
-m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT
-m conntrack ! --ctstate INVALID
-m conntrack --ctproto 6 --ctstate DNAT
-m conntrack ! --ctproto udp
-m conntrack --ctstatus ASSURED
-m conntrack --ctstatus NONE
-m conntrack ! --ctstatus EXPECTED,SEEN_REPLY,CONFIRMED
-m conntrack --ctexpire 1:1000
-m conntrack ! --ctexpire 7
-m conntrack --ctdir ORIGINAL
-m conntrack --ctdir REPLY --ctstate ESTABLISHED
-p tcp -m conntrack --ctproto tcp --ctorigsrcport 1024 --ctorigdstport 80:90 --ctreplsrcport 3 --ctrepldstport 4:5
-p tcp -m conntrack --ctproto tcp ! --ctorigsrcport 1024 ! --ctorigdstport 80:90 ! --ctreplsrcport 3 ! \
--ctrepldstport 4:5
-m state --state NEW
-m state --state INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED
-m state ! --state RELATED
-p tcp -m tcp --dport 22
-p tcp -m tcp ! --sport 1:1023 --dport 0:80
-p tcp -m tcp --sport 1024: ! --dport 80
-p tcp -m tcp --syn
-p tcp -m tcp ! --syn
-p tcp -m tcp --tcp-flags ALL NONE
-p tcp -m tcp --tcp-flags FIN,PSH,URG FIN,PSH,URG --tcp-option 7
-p tcp -m tcp ! --tcp-option 8
-p tcp -m tcp
-p udp -m udp --dport 53
-p udp -m udp ! --sport 53 ! --dport 1:65535
-p udp -m udp --sport :1023
-p udp -m udp
-p tcp -m multiport --dports 22,80,443
-p tcp -m multiport --dports 22,1024:2048,443
-p udp -m multiport ! --sports 53
-p sctp -m multiport --ports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15
-p tcp -m multiport ! --ports 65535
-m addrtype --src-type LOCAL
-m addrtype ! --src-type UNICAST ! --dst-type ANYCAST
mangle POSTROUTING: -m addrtype --dst-type UNICAST --limit-iface-out
-m mark --mark 1
-m mark --mark 0x10/0xff
-m mark ! --mark 0xffffffff
-m mark --mark 0/0
-m connmark --mark 5
-m connmark ! --mark 0x10/0xf0
-m limit
-m limit --limit 3/min
-m limit --limit 1/s --limit-burst 7
-m limit --limit 600/hour --limit-burst 5
-m limit --limit 1/hour
-m limit --limit 1000/sec --limit-burst 100
-m limit --limit 7/min
-m limit --limit 90/min
-m limit --limit 7/hour
-m limit --limit 11/sec
-m limit --limit 333/hour
-m limit --limit 5/day
-m limit --limit 10000/sec
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name a1
-m hashlimit --hashlimit-above 5/min --hashlimit-burst 9 --hashlimit-mode srcip --hashlimit-name a2
-p tcp -m hashlimit --hashlimit-upto 1000/hour --hashlimit-mode srcip,dstip,srcport,dstport --hashlimit-name a3
-m hashlimit --hashlimit-upto 1/hour --hashlimit-mode dstip --hashlimit-dstmask 24 --hashlimit-srcmask 16 \
--hashlimit-name a4
-m hashlimit --hashlimit-upto 1/sec --hashlimit-htable-size 100 --hashlimit-htable-max 200 --hashlimit-name a5
-m hashlimit --hashlimit-upto 1/sec --hashlimit-htable-gcinterval 300 --hashlimit-htable-expire 400 \
--hashlimit-name a6
-m hashlimit --hashlimit-upto 512kb/s --hashlimit-mode srcip --hashlimit-name a7
-m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 4mb --hashlimit-mode srcip --hashlimit-name a8
-m hashlimit --hashlimit-above 1000b/s --hashlimit-mode srcip --hashlimit-name a9
-m hashlimit --hashlimit-above 100/sec --hashlimit-mode srcip --hashlimit-rate-match --hashlimit-name b1
-m hashlimit --hashlimit-above 100/min --hashlimit-rate-match --hashlimit-rate-interval 10 --hashlimit-name b2
-m hashlimit --hashlimit-above 1mb/s --hashlimit-rate-match --hashlimit-rate-interval 3 --hashlimit-name b3
-m hashlimit --hashlimit-upto 10kb/s --hashlimit-burst 1000kb --hashlimit-name b4
-m hashlimit --hashlimit-upto 123456b/s --hashlimit-burst 999999b --hashlimit-name b5
-m hashlimit --hashlimit-upto 333/hour --hashlimit-name b6 --hashlimit-htable-expire 3600000
-m hashlimit --hashlimit-upto 7/min --hashlimit-name b7 --hashlimit-srcmask 0
-m hashlimit --hashlimit-above 90/sec --hashlimit-mode dstport,dstip --hashlimit-name b8 --hashlimit-dstmask 20
-m hashlimit --hashlimit-above 3000mb/s --hashlimit-name b9
-m hashlimit --hashlimit-upto 1000000/sec --hashlimit-burst 1000000 --hashlimit-name "c 1"
-m statistic --mode random --probability 0.33333333349
-m statistic --mode random ! --probability 0.5
-m statistic --mode random --probability 1.0
-m statistic --mode nth --every 5 --packet 0
-m statistic --mode nth --every 1 --packet 0
-m statistic --mode random --probability 0.0001
-m statistic --mode nth ! --every 5 --packet 3
-m recent --set
-m recent --rcheck --name ssh --rsource
-m recent ! --update --seconds 60 --hitcount 4 --rttl --name ssh --rdest
-m recent --remove --name ssh
-m recent --update --seconds 60 --reap --name ssh
-m recent --update --seconds 60 --reap --hitcount 3 --rttl --name ssh
-m recent --rcheck --hitcount 3 --name "x"
-m length --length 100
-m length ! --length 64:1500
-m length --length :65535
-m mac --mac-source 02:ab:cd:ef:00:01
-m mac ! --mac-source 02:00:00:00:00:0A
mangle OUTPUT: -m owner --uid-owner 0
mangle OUTPUT: -m owner ! --uid-owner 1000-2000 --gid-owner 5
mangle OUTPUT: -m owner --socket-exists
mangle OUTPUT: -m owner --uid-owner 1-1 --socket-exists --suppl-groups --gid-owner 7
mangle OUTPUT: -m owner ! --socket-exists ! --gid-owner 1-9
mangle OUTPUT: -m owner --gid-owner 4 --suppl-groups
filter FORWARD: -m physdev --physdev-in eth0 --physdev-out eth1
filter FORWARD: -m physdev ! --physdev-in eth+ --physdev-is-bridged
filter FORWARD: -m physdev --physdev-is-in --physdev-is-out
filter FORWARD: -m physdev ! --physdev-is-in ! --physdev-is-bridged
filter FORWARD: -m physdev ! --physdev-out eth2
filter FORWARD: -m physdev ! --physdev-is-out
filter FORWARD: -m physdev --physdev-is-bridged --physdev-out a.b --physdev-is-out --physdev-in x+ --physdev-is-in
-m pkttype --pkt-type unicast
-m pkttype ! --pkt-type broadcast
-m pkttype --pkt-type multicast
-m string --string GET --algo bm
-m string --algo kmp ! --string "a b" --from 10 --to 100
-m string --algo bm --hex-string "|0d0a|x"
-m string --algo bm --icase --string 'quo"te\\x' --to 65535
-m string --algo bm ! --hex-string "|00ff|" --icase
-m string --algo bm --string "it's"
-m string --algo bm --string "ends with \\\\"
-m string --algo bm --string "|41|"
-m string --algo bm --hex-string "|7c|"
-m string --algo bm --hex-string "|7f|"
-m string --algo bm --string "é"
-m time --timestart 10:00 --timestop 18:30
-m time --weekdays Mon,Tue,Fri --kerneltz
-m time ! --weekdays Sa,Su
-m time --monthdays 1,15,31
-m time ! --monthdays 2
-m time --datestart 2026-01-02T03:04:05 --datestop 2027-12-31
-m time --timestart 23:00 --timestop 02:00:01 --contiguous
-m time --datestart 2020
-m time --monthdays 3,4 --weekdays Mon --timestart 1:00 --kerneltz --contiguous --timestop 0:0:1
-m time
-m tos --tos 0x10
-m tos ! --tos 0x10/0x3f
-m tos --tos 0x04/0x1c
-m tos --tos Minimize-Delay
-m tos ! --tos Normal-Service
-m dscp --dscp 0x2e
-m dscp ! --dscp-class AF21
-p tcp -m ecn --ecn-tcp-cwr
-p tcp -m ecn ! --ecn-tcp-ece --ecn-ip-ect 2
-m ecn ! --ecn-ip-ect 1
-p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr
-m u32 --u32 "0=0"
-m u32 ! --u32 "6&0xFF=1 && 4&0x3FFF=0 && 0>>22&0x3C@0>>24=0:3,8,0xf0"
-m u32 --u32 "0<<3@12=0x10:0xffffffff"
-m socket
-m socket --transparent
mangle PREROUTING: -m socket --nowildcard
mangle PREROUTING: -m socket --transparent --nowildcard --restore-skmark
raw PREROUTING: -m rpfilter
raw PREROUTING: -m rpfilter --loose --validmark
raw PREROUTING: -m rpfilter --accept-local --invert
-m policy --dir in --pol none
-m policy --dir in --pol ipsec
-m policy --dir in --pol ipsec --strict --reqid 1 --spi 0x64 --proto esp --mode tunnel
-m policy --dir in --pol ipsec --strict ! --reqid 1 --next ! --spi 7 --next --proto ah --mode transport
-m policy --dir in --pol ipsec ! --mode tunnel
-m policy --dir in --pol ipsec --strict --proto ipcomp --next ! --proto esp
-m connbytes --connbytes 10 --connbytes-mode packets --connbytes-dir original
-m connbytes --connbytes 10:20 --connbytes-mode bytes --connbytes-dir reply
-m connbytes ! --connbytes 0:1000000000000 --connbytes-mode avgpkt --connbytes-dir both
-m connbytes ! --connbytes 7: --connbytes-mode packets --connbytes-dir both
-m connlimit --connlimit-upto 0
-m connlimit --connlimit-above 10
-m connlimit --connlimit-above 10 --connlimit-mask 8 --connlimit-daddr
-m connlimit ! --connlimit-above 10 --connlimit-saddr
-m connlimit --connlimit-upto 3 --connlimit-mask 0
-m connlimit --connlimit-upto 3 --connlimit-mask 20
-m connlimit --connlimit-upto 3 --connlimit-mask 31
-m connlabel --label 40
-m connlabel ! --label 41 --set
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 0xdeadbeef
-m cluster --cluster-total-nodes 4 --cluster-local-nodemask 5 --cluster-hash-seed 1
-m cluster --cluster-total-nodes 2 ! --cluster-local-node 2 --cluster-hash-seed 4
-m cluster --cluster-total-nodes 2 ! --cluster-local-nodemask 2 --cluster-hash-seed 4
-m cpu --cpu 0
-m cpu ! --cpu 1
-m devgroup --src-group 1
mangle FORWARD: -m devgroup ! --src-group 0x10/0x20 --dst-group 0x3
mangle FORWARD: -m devgroup ! --dst-group 7/0xff
-m helper --helper ftp
-m helper ! --helper "sip-5060"
-m helper --helper ""
-m helper --helper "a.b"
-p esp -m esp --espspi 0
-p esp -m esp --espspi 5:6
-p esp -m esp ! --espspi :32
-p esp -m esp --espspi 1:
-p esp -m esp
-p sctp -m sctp --dport 80
-p sctp -m sctp --sport 1:5 ! --dport 3
-p sctp -m sctp ! --sport 7 --chunk-types any INIT
-p sctp -m sctp ! --chunk-types all DATA:IUBE,SACK
-p sctp -m sctp --chunk-types only DATA:bE,ABORT:T,SHUTDOWN_COMPLETE:t
-p sctp -m sctp --chunk-types all ALL
-p sctp -m sctp --chunk-types any NONE
-p sctp -m sctp --chunk-types any \
INIT,INIT_ACK,HEARTBEAT,HEARTBEAT_ACK,SHUTDOWN,SHUTDOWN_ACK,ERROR,COOKIE_ECHO,COOKIE_ACK,ECN_ECNE,ECN_CWR,ASCONF,ASCONF_ACK,FORWARD_TSN
-p sctp -m sctp --chunk-types any I_DATA,RE_CONFIG,PAD,I_FORWARD_TSN
-p dccp -m dccp --sport 1 --dport 2:3
-p dccp -m dccp ! --sport 1:7 ! --dport 2
-p dccp -m dccp --dccp-types REQUEST,RESPONSE,DATA,ACK,DATAACK,CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID
-p dccp -m dccp ! --dccp-types INVALID --dccp-option 7
-p dccp -m dccp ! --dccp-option 9
-m quota --quota 1000
-m quota ! --quota 18446744073709551615
-m rateest --rateest re1 --rateest-gt --rateest-bps 1000bit
-m rateest --rateest re1 ! --rateest-lt --rateest-pps 5
-m rateest --rateest-delta --rateest re1 --rateest-eq --rateest-bps 1mbit --rateest-pps 10
-m rateest --rateest1 re1 --rateest-lt --rateest-bps --rateest2 re2
-m rateest --rateest1 re1 --rateest-gt --rateest-pps --rateest2 re2
-m rateest --rateest1 re1 --rateest-gt --rateest-bps --rateest-pps --rateest2 re2
-m rateest --rateest1 re1 ! --rateest-eq --rateest-bps --rateest-pps --rateest2 re2
-m rateest --rateest-delta --rateest1 re1 --rateest-bps1 8bit --rateest-pps1 5 --rateest-lt --rateest2 re2 \
--rateest-bps2 16bit --rateest-pps2 7
-m rateest --rateest-delta --rateest re1 --rateest-pps1 7 --rateest-gt --rateest-pps2 9
-m rateest --rateest re1 --rateest-gt --rateest-bps 4gbit --rateest-pps 3
-m rateest --rateest-delta --rateest1 re1 --rateest-bps1 8bit --rateest-lt --rateest2 re2 --rateest-bps2 16bit
-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"
-m cgroup --cgroup 100
-m cgroup ! --cgroup 0x10010
-m cgroup --path /
-m cgroup ! --path /
-p tcp -m tcpmss --mss 1460
-p tcp -m tcpmss ! --mss 1:1000
-m ipvs --ipvs
-m ipvs ! --ipvs
-m ipvs --vproto 6 --vport 80 --vdir ORIGINAL --vmethod GATE --vportctl 21
-m ipvs ! --vproto 17 ! --vport 80 --vdir REPLY ! --vmethod MASQ ! --vportctl 21
-p ipcomp -m ipcomp --ipcompspi 18 --compres
-p ipcomp -m ipcomp ! --ipcompspi 1:2
-m nfacct --nfacct-name acct1
-m nfacct --nfacct-name "two words"
-m set --match-set s1 src
-m set ! --match-set s1 dst
-m set --match-set s2 src,dst
-m set ! --match-set s3 dst,dst,src
-m set --match-set s1 src --return-nomatch
-m set --match-set s1 src ! --update-counters
-m set --match-set s2 src,src ! --update-subcounters --packets-gt 10 --bytes-lt 5
-m set --match-set s1 src ! --packets-eq 7 --bytes-eq 8 ! --update-counters --return-nomatch
-p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -m comment --comment "web: in" -m limit --limit 3/min
"""

V4 = (
    """
-m addrtype --dst-type LOCAL,BROADCAST,MULTICAST --limit-iface-in
-m addrtype --src-type UNSPEC,UNICAST,LOCAL,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT
-m addrtype --dst-type THROW
-p tcp -m osf --genre Linux
-p tcp -m osf --genre Linux --ttl 0 --log 1
-p tcp -m osf ! --genre "Windows XP" --ttl 2 --log 0
-m conntrack --ctorigsrc 10.1.2.3 --ctorigdst 10.0.0.0/8 --ctreplsrc 0.0.0.0/0 --ctrepldst 10.0.0.5/255.0.255.0
-m conntrack ! --ctorigsrc 10.1.2.3/31 ! --ctorigdst 10.0.0.1 ! --ctreplsrc 10.0.0.2 ! --ctrepldst 10.0.0.3
-p icmp -m icmp --icmp-type any
-p icmp -m icmp --icmp-type echo-request
-p icmp -m icmp ! --icmp-type 3/4
-p icmp -m icmp --icmp-type host-unreachable
-p icmp -m icmp ! --icmp-type 255
-m iprange --src-range 10.0.0.1-10.0.0.9
-m iprange ! --src-range 10.0.0.1-10.0.0.9 ! --dst-range 10.0.1.1-10.0.2.1
-m iprange --dst-range 10.0.1.1-10.0.1.1
-m ttl --ttl-eq 64
-m ttl ! --ttl-eq 64
-m ttl --ttl-lt 3
-m ttl --ttl-gt 200
-p ah -m ah --ahspi 5
-p ah -m ah ! --ahspi 5:900
-p ah -m ah
-m realm --realm 5
-m realm ! --realm 0x1/0xff
-m realm --realm 0
-m realm --realm 0x7/0xffff0000
-m recent --rcheck --name m4 --mask 255.255.255.0 --rsource
-m policy --dir in --pol ipsec --strict --tunnel-src 10.0.0.1 --tunnel-dst 10.0.0.0/8 --mode tunnel
-m policy --dir in --pol ipsec --strict ! --tunnel-src 10.0.0.1 --mode tunnel --next ! --tunnel-dst 10.1.0.0/16 \
--mode tunnel
-m ipvs --vaddr 10.0.0.1
-m ipvs ! --vaddr 10.0.0.0/8
-m connlimit --connlimit-above 2 --connlimit-mask 24
"""
    + TARGETS4
)

V6 = (
    """
-m conntrack --ctorigsrc fd00::1 --ctorigdst fd00::/64 --ctreplsrc ::/0 --ctrepldst fd00::5/ffff::ffff
-m conntrack ! --ctorigsrc fd00::1 ! --ctorigdst ::ffff:10.0.0.1 ! --ctreplsrc fd00::2 ! --ctrepldst fd00::3/127
-p ipv6-icmp -m icmp6 --icmpv6-type echo-request
-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4
-p ipv6-icmp -m icmp6 --icmpv6-type neighbour-solicitation
-m iprange --src-range fd00::1-fd00::9
-m iprange ! --src-range fd00::1-fd00::9 ! --dst-range fd00::1-fd00::ff
-m hl --hl-eq 64
-m hl ! --hl-eq 64
-m hl --hl-lt 3
-m hl --hl-gt 200
-m ah --ahspi 5 ! --ahlen 3 --ahres
-m ah ! --ahspi 5:900 --ahlen 7
-m ah
-m frag --fragid 1:7 --fraglen 8 --fragres --fragfirst --fragmore
-m frag ! --fragid 3 ! --fraglen 9 --fraglast
-m frag
-m rt --rt-type 2 --rt-segsleft 3 --rt-len 4
-m rt ! --rt-type 2 ! --rt-segsleft 3:5 ! --rt-len 4
-m rt --rt-type 0 --rt-segsleft 1:23 --rt-len 42 --rt-0-res
-m rt --rt-type 0 --rt-len 42 --rt-0-res --rt-0-addrs fd00::1,fd00::2 --rt-0-not-strict
-m rt --rt-type 0 --rt-0-addrs fd00::1
-m hbh
-m hbh --hbh-len 5
-m hbh ! --hbh-len 5 --hbh-opts 1:2,23,42:8
-m dst
-m dst --dst-len 5
-m dst ! --dst-len 5 --dst-opts 149:92,12:12,123:12
-p ipv6-mh -m mh --mh-type 3
-p ipv6-mh -m mh ! --mh-type 0:5
-p mobility-header -m mh --mh-type binding-refresh-request
-p ipv6-mh -m mh
-m ipv6header --header hop-by-hop
-m ipv6header ! --header hop,dst,route,frag,auth,esp,none,prot
-m ipv6header --header hop,none --soft
-m addrtype --dst-type LOCAL,MULTICAST --limit-iface-in
-m ipv6header --header esp --soft
raw PREROUTING: -m eui64
-m recent --rcheck --name m6 --mask ffff:ffff:: --rsource
-m policy --dir in --pol ipsec --strict --tunnel-src fd00::1 --tunnel-dst fd00::/64 --mode tunnel
-m policy --dir in --pol ipsec --strict ! --tunnel-src fd00::1 --mode tunnel --next ! --tunnel-dst fd00::/16 --mode \
tunnel
-m ipvs --vaddr fd00::1
-m ipvs ! --vaddr fd00::/16
-m connlimit --connlimit-above 2 --connlimit-mask 64
-m connlimit --connlimit-above 2 --connlimit-mask 3
-m connlimit --connlimit-above 2 --connlimit-mask 127
-m connlimit --connlimit-above 2 --connlimit-mask 36
-p tcp -m srh --srh-next-hdr 17 --srh-hdr-len-eq 8 --srh-hdr-len-gt 5 --srh-hdr-len-lt 9 --srh-segs-left-eq 1
-p tcp -m srh ! --srh-next-hdr 17 ! --srh-segs-left-eq 1 --srh-segs-left-gt 4 --srh-segs-left-lt 5 \
--srh-last-entry-eq 4
-p tcp -m srh ! --srh-last-entry-eq 4 --srh-last-entry-gt 4 --srh-last-entry-lt 4 --srh-tag 0
-p tcp -m srh ! --srh-tag 0 --srh-psid a::/64 --srh-nsid b::/128 ! --srh-lsid c::/0
-p tcp -m srh ! --srh-hdr-len-eq 8 ! --srh-hdr-len-gt 5 ! --srh-hdr-len-lt 9 ! --srh-psid a::1
"""
    + TARGETS6
)

BOTH += TARGETS_BOTH + f'-m comment --comment "{"x" * 255}"\n'


def every_rule(family: int) -> list[tuple[str, str, str]]:
    """(table, chain, arguments) of every rule for NFPROTO 2 (ip) or 10 (ip6)."""
    lines = (BOTH + (V4 if family == 2 else V6)).splitlines()
    return [placed(line) for line in lines if line]


def placed(line: str) -> tuple[str, str, str]:
    place, found, arguments = line.partition(": -")
    if not found or place.startswith("-"):
        return "filter", "INPUT", line
    table, chain = place.split()
    return table, chain, f"-{arguments}"
