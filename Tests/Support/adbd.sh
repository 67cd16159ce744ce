#!/bin/sh
# A real adb server and a real adbd for tests, and nothing of either afterwards: adbd of Debian 13 (Android's own,
# built for Linux) in a network and a mount namespace with /data, /sdcard and /system of its own. Prints
# `ready PORT ADDRESS` and ends all when its standard input ends. Prints `none REASON` where it cannot be had.
# Needs root. The daemon's packages are fetched once into $ASSAY_HOME/tests/adbd by apt.
set -u
PATH=$PATH:/usr/sbin:/sbin
none() { echo "none $*"; exit 0; }
[ "$(id -u)" = 0 ] || none "root is needed for namespaces"
for program in adb ip unshare chroot dpkg-deb apt-get; do
  command -v "$program" >/dev/null || none "$program is not installed (Debian: adb iproute2)"
done
prefix=${ASSAY_ADBD:-${ASSAY_HOME:-$HOME/.local/share/assay}/tests/adbd}
daemon=/usr/lib/android-sdk/platform-tools/adbd
if [ ! -x "$prefix/root$daemon" ]; then
  mkdir -p "$prefix/lists/partial" "$prefix/archives/partial" "$prefix/debs" "$prefix/root" || none "no folder $prefix"
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ')
  [ -n "$mirror" ] || none "no Debian mirror is configured"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$prefix/sources"
  apt() {
    program=$1; shift
    "$program" -o Dir::State::Lists="$prefix/lists" -o Dir::Cache="$prefix" -o Dir::Etc::SourceList="$prefix/sources" \
      -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root -qq "$@"
  }
  apt apt-get update >/dev/null 2>&1 || none "apt cannot read Debian 13's lists"
  packages=$(apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances adbd | grep '^[a-z0-9]' | sort -u | grep -vE '^(android-udev-rules|.?debconf.*|udev|adduser)$')
  # One call for all of them: each reads the whole lists anew. What cannot be had shows below.
  (cd "$prefix/debs" && apt apt-get download $packages >/dev/null 2>&1; \
    for file in *.deb; do dpkg-deb -x "$file" "$prefix/root"; done)
  [ -x "$prefix/root$daemon" ] || none "Debian 13's adbd could not be fetched"
fi
lab=$(mktemp -d "${TMPDIR:-/tmp}/assay-adbd-XXXXXX") || none "no temporary folder"
space=assay$$
net=10.$((64 + $$ % 60)).$(($$ / 60 % 250))
port=$((21000 + $$ % 9000))
end() {
  HOME=$lab adb -P "$port" kill-server >/dev/null 2>&1
  for process in $(ip netns pids "$space" 2>/dev/null); do kill -9 "$process"; done
  ip netns delete "$space" 2>/dev/null
  ip link delete "v$space" 2>/dev/null
  sleep 0.2
  rm -rf "$lab"
}
trap end EXIT
trap "exit 1" HUP INT TERM
ip netns add "$space" 2>/dev/null || none "no network namespace can be made"
ip link add "v$space" type veth peer name eth0 netns "$space" || none "no pair of interfaces can be made"
ip address add "$net.1/24" dev "v$space" && ip link set "v$space" up
ip -n "$space" address add "$net.2/24" dev eth0 && ip -n "$space" link set eth0 up && ip -n "$space" link set lo up
# The phone's root: this machine's programs, and folders of its own where Android has them.
phone=$lab/phone
mkdir -p "$phone/data/local/tmp" "$phone/sdcard" "$phone/system/bin" "$phone/usr" "$phone/etc" "$phone/proc" \
  "$phone/sys" "$phone/dev" "$phone/tmp" "$phone/adbd"
for link in bin sbin lib lib64; do [ -L /$link ] && cp -P /$link "$phone/$link"; done
cat >"$phone/system/bin/getprop" <<'SCRIPT'
#!/bin/sh
cat <<'TEXT'
[ro.product.manufacturer]: [Debian]
[ro.product.model]: [adbd]
[ro.product.cpu.abi]: [x86_64]
[ro.product.cpu.abilist]: [x86_64]
[ro.build.version.release]: [14]
[ro.build.version.sdk]: [34]
TEXT
SCRIPT
chmod 755 "$phone/system/bin/getprop"
ip netns exec "$space" unshare -m sh -c '
  mount --make-rprivate /
  for folder in usr etc proc sys dev; do mount --rbind /$folder "$1/$folder" || exit 1; done
  mount --bind "$2/root" "$1/adbd"
  cd / && exec chroot "$1" /usr/bin/env -i PATH=/system/bin:/usr/bin:/bin HOME=/ ADBD_PORT=5555 \
    /adbd/usr/lib64/ld-linux-x86-64.so.2 \
    --library-path /adbd/usr/lib/x86_64-linux-gnu:/adbd/usr/lib/x86_64-linux-gnu/android /adbd'"$daemon"'
' sh "$phone" "$prefix" >"$lab/adbd.log" 2>&1 &
HOME=$lab adb -P "$port" start-server >"$lab/adb.log" 2>&1 || none "adb's server does not start: $(tail -n 1 "$lab/adb.log")"
count=0
until HOME=$lab adb -P "$port" connect "$net.2:5555" 2>/dev/null | grep -q '^\(already \)\?connected'; do
  count=$((count + 1))
  [ $count -lt 50 ] || none "adbd does not answer: $(tail -n 2 "$lab/adbd.log" | tr '\n' ' ')"
  sleep 0.2
done
HOME=$lab adb -P "$port" disconnect "$net.2:5555" >/dev/null 2>&1
echo "ready $port $net.2:5555"
cat >/dev/null
