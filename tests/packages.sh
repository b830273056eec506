#!/bin/sh
# The Debian packages that the tests compare with; installed when this is root, named otherwise.
set -eu
packages=""
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
PATH="$PATH:/usr/sbin:/sbin"
need ip iproute2
need ping iputils-ping
need ethtool ethtool
need sysctl procps
need nft nftables
need iptables-save iptables
need conntrack conntrack
need ipset ipset
need tmux tmux
need trafgen netsniff-ng
need tshark tshark
need tcpdump tcpdump
[ -f /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf ] || packages="$packages fonts-dejavu-core"
[ -n "$packages" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
else
  echo "not installed, and the tests that need it are skipped:$packages" >&2
fi
