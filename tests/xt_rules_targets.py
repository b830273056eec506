"""Rules with every xtables target that iptables 1.8.9 has, with every option (see xt_rules)."""

from __future__ import annotations

TARGETS_BOTH = """
-j LOG
-j LOG --log-prefix "a b: "
-j LOG --log-prefix "01234567890123456789 %s \\"9"
-j LOG --log-level 4 --log-uid
-j LOG --log-level debug --log-prefix plain
-j LOG --log-level 0 --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode
-j NFLOG
-j NFLOG --nflog-group 3 --nflog-prefix "a b"
-j NFLOG --nflog-prefix 0123456789012345678901234567890123456789012345678901234567890123 --nflog-range 1 \
--nflog-threshold 3
-j NFLOG --nflog-prefix p --nflog-range 64
-j NFLOG --nflog-size 64 --nflog-threshold 5
-j NFLOG --nflog-size 0 --nflog-threshold 1
-j NFQUEUE
-j NFQUEUE --queue-num 7
-j NFQUEUE --queue-balance 0:3
-j NFQUEUE --queue-balance 1:65535 --queue-bypass --queue-cpu-fanout
-j NFQUEUE --queue-num 0 --queue-bypass
mangle PREROUTING: -j MARK --set-mark 1
mangle PREROUTING: -j MARK --set-xmark 0x10/0xff
mangle PREROUTING: -j MARK --or-mark 0x4
mangle PREROUTING: -j MARK --and-mark 0xf0
mangle PREROUTING: -j MARK --xor-mark 0x5
mangle PREROUTING: -j MARK --set-mark 0x3/0xf0
mangle PREROUTING: -j CONNMARK --set-mark 1
mangle PREROUTING: -j CONNMARK --set-xmark 0x10/0xff
mangle PREROUTING: -j CONNMARK --or-mark 0x4
mangle PREROUTING: -j CONNMARK --and-mark 0xf0
mangle PREROUTING: -j CONNMARK --xor-mark 0x5
mangle PREROUTING: -j CONNMARK --save-mark
mangle PREROUTING: -j CONNMARK --restore-mark
mangle PREROUTING: -j CONNMARK --save-mark --mask 0xff
mangle PREROUTING: -j CONNMARK --save-mark --nfmask 0xf0 --ctmask 0xf
mangle PREROUTING: -j CONNMARK --restore-mark --nfmask 0xf0 --ctmask 0xf
mangle PREROUTING: -j CONNMARK --restore-mark --left-shift-mark 8
mangle PREROUTING: -j CONNMARK --save-mark --right-shift-mark 4
mangle PREROUTING: -j CONNMARK --set-mark 5 --left-shift-mark 2
nat POSTROUTING: -j MASQUERADE
nat POSTROUTING: -j MASQUERADE --random
nat POSTROUTING: -j MASQUERADE --random-fully
nat POSTROUTING: -p tcp -j MASQUERADE --to-ports 1024
nat POSTROUTING: -p udp -j MASQUERADE --to-ports 1024-2048 --random
nat PREROUTING: -j REDIRECT
nat PREROUTING: -p tcp -j REDIRECT --to-ports 8080
nat PREROUTING: -p tcp -j REDIRECT --to-ports 8080-8090 --random
nat PREROUTING: -p tcp -j DNAT --to-destination :8080
nat POSTROUTING: -p tcp -j SNAT --to-source :8080-8090
mangle PREROUTING: -j TOS --set-tos 0x10
mangle PREROUTING: -j TOS --set-tos 0x10/0x3f
mangle PREROUTING: -j TOS --set-tos Maximize-Throughput
mangle PREROUTING: -j TOS --and-tos 0xf0
mangle PREROUTING: -j TOS --or-tos 0x0f
mangle PREROUTING: -j TOS --xor-tos 0x03
mangle PREROUTING: -j TOS --set-tos 0x04/0x1c
mangle PREROUTING: -j DSCP --set-dscp 0x2e
mangle PREROUTING: -j DSCP --set-dscp-class CS1
filter FORWARD: -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
filter FORWARD: -p tcp -m tcp --syn -j TCPMSS --set-mss 1400
mangle FORWARD: -p tcp -j TCPOPTSTRIP --strip-options timestamp
mangle FORWARD: -p tcp -j TCPOPTSTRIP --strip-options 2,3,4,5,8,19,200
mangle FORWARD: -p tcp -j TCPOPTSTRIP --strip-options wscale,mss,sack-permitted,sack,timestamp,md5
raw PREROUTING: -j CT --notrack
raw PREROUTING: -j NOTRACK
raw PREROUTING: -j CT --zone 5
raw PREROUTING: -j CT --zone-orig 5
raw PREROUTING: -j CT --zone-reply 6
raw PREROUTING: -j CT --zone-orig 0
raw PREROUTING: -j CT --zone-reply mark
raw PREROUTING: -p tcp -j CT --zone 65534 --ctevents helper --expevents new --helper ftp
raw PREROUTING: -j CT --zone mark
raw PREROUTING: -j CT --zone-orig mark
raw PREROUTING: -j CT --ctevents new,related,destroy,reply,assured,protoinfo,helper,mark --expevents new
raw PREROUTING: -j CT --ctevents natseqinfo,secmark
raw PREROUTING: -p tcp -j CT --helper ftp
raw PREROUTING: -p tcp -j CT --helper ftp --zone 3
raw PREROUTING: -p tcp -j CT --timeout pol
mangle POSTROUTING: -j CLASSIFY --set-class 1:1
mangle POSTROUTING: -j CLASSIFY --set-class 0:ffff
mangle POSTROUTING: -j CHECKSUM --checksum-fill
mangle POSTROUTING: -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill
mangle PREROUTING: -p tcp -j TPROXY --on-port 12345
mangle PREROUTING: -p udp -j TPROXY --on-port 5 --tproxy-mark 0x1/0xff
raw PREROUTING: -j TRACE
-j SET --add-set s1 src
-j SET --add-set s2 src,dst --exist
-j SET --add-set s1 src --timeout 60 --exist
-j SET --add-set s1 dst --timeout 4294967
-j SET --del-set s3 src,src,dst
mangle PREROUTING: -j SET --map-set s4 src --map-mark
mangle FORWARD: -j SET --map-set s4 dst --map-mark --map-prio --map-queue
mangle POSTROUTING: -j SET --map-set s4 src --map-queue --map-prio
-j SET --add-set s1 src --del-set s2 dst,src
-p tcp -j SYNPROXY
-p tcp -j SYNPROXY --sack-perm --timestamp --mss 1460 --wscale 7
-p tcp -j SYNPROXY --ecn --mss 0
-j RATEEST --rateest-name re1 --rateest-interval 250ms --rateest-ewmalog 500ms
-j RATEEST --rateest-name re3 --rateest-interval 1s --rateest-ewmalog 2s
-j RATEEST --rateest-name re4 --rateest-interval 8s --rateest-ewmalog 100s
-j RATEEST --rateest-name re5 --rateest-interval 500ms --rateest-ewmalog 1s
-j IDLETIMER --timeout 42 --label foo
-j IDLETIMER --timeout 42 --label "b r" --alarm
mangle PREROUTING: -j HMARK --hmark-tuple src,dst --hmark-mod 10 --hmark-rnd 0xfeedcafe
mangle PREROUTING: -j HMARK --hmark-tuple src,dst,sport,dport --hmark-offset 100 --hmark-mod 10 --hmark-rnd 1
mangle PREROUTING: -p tcp -j HMARK --hmark-tuple ct,src,dst,sport,dport --hmark-mod 7 --hmark-rnd 5
mangle PREROUTING: -p tcp -j HMARK --hmark-tuple ct --hmark-src-prefix 8 --hmark-sport-mask 0xff00 \
--hmark-dport-mask 0x0fff --hmark-mod 7 --hmark-rnd 5
mangle PREROUTING: -j HMARK --hmark-tuple ct --hmark-dst-prefix 3 --hmark-spi-mask 0xff --hmark-mod 7 --hmark-rnd 5
mangle PREROUTING: -p tcp -j HMARK --hmark-tuple src,sport --hmark-sport 80 --hmark-dport 90 --hmark-proto-mask \
0xffff --hmark-mod 7 --hmark-rnd 5
mangle PREROUTING: -p esp -j HMARK --hmark-tuple spi --hmark-spi 0x10 --hmark-mod 7 --hmark-rnd 5
mangle PREROUTING: -j SECMARK --selctx system_u:object_r:firewalld_exec_t:s0
mangle PREROUTING: -j CONNSECMARK --save
mangle PREROUTING: -j CONNSECMARK --restore
-j AUDIT --type accept
-j AUDIT --type drop
-j AUDIT --type reject
-j LED --led-trigger-id foo
-j LED --led-trigger-id "foo bar" --led-delay 42 --led-always-blink
-j LED --led-trigger-id foo --led-delay inf
"""

TARGETS4 = """
-j REJECT
-j REJECT --reject-with icmp-net-unreachable
-j REJECT --reject-with icmp-host-unreachable
-j REJECT --reject-with icmp-proto-unreachable
-j REJECT --reject-with icmp-net-prohibited
-j REJECT --reject-with icmp-host-prohibited
-j REJECT --reject-with icmp-admin-prohibited
-p tcp -j REJECT --reject-with tcp-reset
nat PREROUTING: -j DNAT --to-destination 10.0.0.1
nat PREROUTING: -p tcp -j DNAT --to-destination 10.0.0.1:80
nat PREROUTING: -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.5:80-90 --random --persistent
nat PREROUTING: -p tcp -j DNAT --to-destination 10.0.0.1:1000-2000/3000
nat PREROUTING: -j DNAT --to-destination 10.0.0.1-10.0.0.5 --persistent
nat POSTROUTING: -j SNAT --to-source 10.0.0.1
nat POSTROUTING: -p udp -j SNAT --to-source 10.0.0.1-10.0.0.5:1024-65535 --random-fully
nat POSTROUTING: -j SNAT --to-source 10.0.0.1 --random --random-fully --persistent
nat PREROUTING: -j NETMAP --to 10.0.0.0/8
nat PREROUTING: -j NETMAP --to 10.0.0.1
nat PREROUTING: -j NETMAP --to 10.0.0.0/255.0.255.0
mangle PREROUTING: -p tcp -j ECN --ecn-tcp-remove
mangle PREROUTING: -j TTL --ttl-set 42
mangle PREROUTING: -j TTL --ttl-inc 1
mangle PREROUTING: -j TTL --ttl-dec 2
mangle PREROUTING: -j TEE --gateway 10.0.0.1
mangle PREROUTING: -j TEE --gateway 10.0.0.1 --oif lo
mangle PREROUTING: -p tcp -j TPROXY --on-port 12345 --on-ip 10.0.0.1 --tproxy-mark 0x23/0xff
mangle PREROUTING: -p tcp -j TPROXY --on-port 0 --on-ip 10.0.0.1
-d 10.31.3.236/32 -i lo -j CLUSTERIP --new --hashmode sourceip --clustermac 01:AA:7B:47:F7:D7 --total-nodes 2 \
--local-node 1 --hash-init 1
mangle PREROUTING: -j HMARK --hmark-tuple dst --hmark-src-prefix 255.255.0.255 --hmark-mod 7 --hmark-rnd 5
"""

TARGETS6 = """
-j REJECT
-j REJECT --reject-with icmp6-no-route
-j REJECT --reject-with icmp6-adm-prohibited
-j REJECT --reject-with icmp6-addr-unreachable
-j REJECT --reject-with icmp6-policy-fail
-j REJECT --reject-with icmp6-reject-route
-p tcp -j REJECT --reject-with tcp-reset
nat PREROUTING: -j DNAT --to-destination fd00::1
nat PREROUTING: -p tcp -j DNAT --to-destination [fd00::1]:80
nat PREROUTING: -p tcp -j DNAT --to-destination [fd00::1-fd00::5]:80-90 --random --persistent
nat PREROUTING: -p tcp -j DNAT --to-destination [fd00::1]:1000-2000/3000
nat POSTROUTING: -j SNAT --to-source fd00::1-fd00::5
nat POSTROUTING: -p udp -j SNAT --to-source [fd00::1]:1024-65535 --random-fully
nat POSTROUTING: -j SNAT --to-source fd00::1 --random --persistent
nat PREROUTING: -j NETMAP --to fd00::/64
nat PREROUTING: -j NETMAP --to fd00::1
mangle PREROUTING: -j HL --hl-set 42
mangle PREROUTING: -j HL --hl-inc 1
mangle PREROUTING: -j HL --hl-dec 2
mangle PREROUTING: -j TEE --gateway fd00::1
mangle PREROUTING: -j TEE --gateway fd00::1 --oif lo
mangle PREROUTING: -p tcp -j TPROXY --on-port 12345 --on-ip fd00::1 --tproxy-mark 0x23/0xff
mangle PREROUTING: -j DNPT --src-pfx fd00::/16 --dst-pfx 2001:db8::/32
mangle POSTROUTING: -j SNPT --src-pfx fd00::/64 --dst-pfx 2001:db8::/64
mangle PREROUTING: -j HMARK --hmark-tuple dst --hmark-src-prefix ffff::ffff --hmark-mod 7 --hmark-rnd 5
"""
