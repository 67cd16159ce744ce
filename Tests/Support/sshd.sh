#!/bin/sh
# An ssh server on this machine's loopback alone, for tests: makes it in a new folder with keys of its own,
# prints `ready CONFIG PIDFILE` (a configuration for ssh's -F; its host is `board`) and ends it when its standard
# input ends. Prints `none REASON` where it cannot be started. Needs no root; touches nothing outside its
# folder. `sshd.sh ROOT` puts those who come into ROOT (a system for another processor) by chroot, as root.
set -u
PATH=$PATH:/usr/sbin:/sbin
sshd=$(command -v sshd) || { echo "none sshd is not installed (Debian: openssh-server)"; exit 0; }
command -v ssh-keygen >/dev/null || { echo "none ssh-keygen is not installed (Debian: openssh-client)"; exit 0; }
root=${1:-}
lab=$(mktemp -d "${TMPDIR:-/tmp}/assay-sshd-XXXXXX") || { echo "none no temporary folder"; exit 0; }
# sshd wants this folder when it runs as root.
if [ "$(id -u)" = 0 ]; then mkdir -p /run/sshd; fi
ssh-keygen -q -t ed25519 -N '' -f "$lab/host" && ssh-keygen -q -t ed25519 -N '' -f "$lab/key" || { echo "none no keys"; exit 0; }
ssh-keygen -q -t ed25519 -N '' -f "$lab/other"
cp "$lab/key.pub" "$lab/authorized"
user=$(id -un)
tries=0
while :; do
  port=$((20000 + ($$ * 7 + tries * 131) % 40000))
  cat >"$lab/sshd_config" <<TEXT
ListenAddress 127.0.0.1:$port
HostKey $lab/host
PidFile $lab/pid
AuthorizedKeysFile $lab/authorized
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
MaxStartups 200
MaxSessions 100
LogLevel ERROR
TEXT
  if [ -n "$root" ]; then
    cat >"$lab/enter" <<TEXT
#!/bin/sh
# As a Raspberry Pi 5 has it: of its default, a newer processor, qemu 7.2 computes some products wrongly.
QEMU_CPU=cortex-a76; export QEMU_CPU
exec unshare -m /bin/sh -c 'mount --make-rprivate / && mount -t proc proc "\$0/proc" && mount -t sysfs sys "\$0/sys" && {
  [ ! -e "\$0/etc/cpuinfo" ] || mount --bind "\$0/etc/cpuinfo" "\$0/proc/cpuinfo"; } && exec chroot "\$0" /bin/sh -c "cd /tmp
PATH=/usr/local/bin:/usr/bin:/bin; export PATH; unset TMPDIR; exec /bin/sh -c \"\\\$1\"" sh "\$1"' "$root" "\${SSH_ORIGINAL_COMMAND:-exec /bin/sh}"
TEXT
    chmod 755 "$lab/enter"
    echo "ForceCommand $lab/enter" >>"$lab/sshd_config"
  fi
  "$sshd" -f "$lab/sshd_config" -E "$lab/log"
  n=0
  while [ $n -lt 50 ] && [ ! -s "$lab/pid" ]; do sleep 0.1; n=$((n + 1)); done
  [ -s "$lab/pid" ] && break
  tries=$((tries + 1))
  [ $tries -lt 20 ] || { echo "none sshd does not start: $(tail -n 1 "$lab/log")"; exit 0; }
done
printf '[127.0.0.1]:%s %s\n' "$port" "$(cat "$lab/host.pub")" >"$lab/known"
cat >"$lab/config" <<TEXT
Host board
  HostName 127.0.0.1
  Port $port
  User $user
  IdentityFile $lab/key
  IdentitiesOnly yes
  UserKnownHostsFile $lab/known
  GlobalKnownHostsFile /dev/null
Host stranger
  HostName 127.0.0.1
  Port $port
  User $user
  IdentityFile $lab/other
  IdentitiesOnly yes
  UserKnownHostsFile $lab/known
  GlobalKnownHostsFile /dev/null
Host unknown
  HostName 127.0.0.1
  Port $port
  User $user
  IdentityFile $lab/key
  IdentitiesOnly yes
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /dev/null
Host nobody
  HostName 127.0.0.1
  Port 1
  UserKnownHostsFile $lab/known
TEXT
echo "ready $lab/config $lab/pid"
cat >/dev/null
kill "$(cat "$lab/pid")" 2>/dev/null
rm -rf "$lab"
