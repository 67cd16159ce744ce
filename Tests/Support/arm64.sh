#!/bin/sh
# A Debian system for 64-bit Arm, run by emulation, behind an ssh server on loopback: what sshd.sh prints, or
# `none REASON`. Needs root, qemu-user-static, and debootstrap with a network the first time, which takes
# minutes; the system is kept below ASSAY_HOME/tests (or in ASSAY_ARM64_ROOT).
set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(dirname "$0")
[ "$(id -u)" = 0 ] || { echo "none only root can enter another system (chroot)"; exit 0; }
command -v qemu-aarch64-static >/dev/null || { echo "none there is no emulator (Debian: qemu-user-static)"; exit 0; }
binfmt=/proc/sys/fs/binfmt_misc
[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt 2>/dev/null
[ -e $binfmt/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$binfmt/register 2>/dev/null
[ -e $binfmt/qemu-aarch64 ] || { echo "none this kernel does not run programs of other processors (binfmt_misc)"; exit 0; }
home=${ASSAY_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/assay}
root=${ASSAY_ARM64_ROOT:-$home/tests/arm64}
if [ ! -e "$root/etc/cpuinfo" ]; then
  command -v debootstrap >/dev/null || { echo "none there is no debootstrap"; exit 0; }
  mkdir -p "$root"
  debootstrap --arch=arm64 --variant=minbase bookworm "$root" >"$root.log" 2>&1 || { echo "none debootstrap failed: $(tail -n 1 "$root.log")"; exit 0; }
  # A program emulator shows the host's processor; libraries that look there would choose its code.
  for n in 0 1 2 3; do
    printf 'processor\t: %d\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x4\nCPU part\t: 0xd0b\nCPU revision\t: 1\n\n' $n
  done >"$root/etc/cpuinfo.new"
  mv "$root/etc/cpuinfo.new" "$root/etc/cpuinfo"
fi
exec "$here/sshd.sh" "$root"
