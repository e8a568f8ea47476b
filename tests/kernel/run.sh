#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the probe's kernel tests inside another kernel: boots a Debian kernel package in QEMU with this
# machine's root as a read-only 9p share, so the guest has our test binary, its libraries and Python
# without an image. No KVM: nested machines often have a /dev/kvm that hangs, and a boot takes seconds.
#   tests/kernel/run.sh KERNEL.deb TEST_BINARY [ARGUMENTS]
# Fetch a kernel with: apt-get download linux-image-6.1.0-NN-amd64
set -eu
deb=$(realpath "$1")
test=$(realpath "$2")
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dpkg-deb -x "$deb" "$work/kernel"
version=$(ls "$work"/kernel/lib/modules 2>/dev/null || ls "$work"/kernel/usr/lib/modules)
modules=$(find "$work/kernel" -type d -path "*/modules/$version" | head -1)
mkdir -p "$work/root/bin" "$work/root/modules" "$work/root/host" "$work/root/proc"
cp "$(command -v busybox)" "$work/root/bin/busybox"
order="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p"
for m in $order; do
  file=$(find "$modules" -name "$m.ko*" | head -1)
  [ -n "$file" ] || continue
  case "$file" in
  *.xz) xz -dc "$file" >"$work/root/modules/$m.ko" ;;
  *) cp "$file" "$work/root/modules/$m.ko" ;;
  esac
done
cat >"$work/root/init" <<INIT
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
for m in $order; do [ -f /modules/\$m.ko ] && /bin/busybox insmod /modules/\$m.ko || echo "\$m not loaded"; done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /host || echo "no 9p"
/bin/busybox mount -t proc proc /host/proc
/bin/busybox mount -t sysfs sysfs /host/sys
/bin/busybox mount -t devtmpfs dev /host/dev
/bin/busybox mount -t tmpfs tmpfs /host/run
/bin/busybox ifconfig lo 127.0.0.1 up
/bin/busybox uname -r
/bin/busybox chroot /host /usr/bin/env HOME=/run TMPDIR=/run PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin "$test" $*
echo "guest exit \$?"
/bin/busybox poweroff -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"
timeout "${SONDE_GUEST_SECONDS:-120}" qemu-system-x86_64 -accel tcg -cpu Nehalem -smp 1 -m 1024 -nographic -no-reboot \
  -kernel "$work"/kernel/boot/vmlinuz-* -initrd "$work/initrd" \
  -append "console=ttyS0 quiet panic=-1 cryptomgr.notests" \
  -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap </dev/null >"$work/log" 2>&1 || true
tr -d '\r' <"$work/log" | tail -60
grep -q '^guest exit 0' "$work/log"
