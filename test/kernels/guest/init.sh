#!/bin/busybox sh
# The first process of a guest: mounts, modules, checks, and off.
export PATH=/sbin:/bin:/busybox HOME=/root
/bin/busybox --install -s /busybox
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
ln -s /busybox/sh /bin/sh
ip link set lo up
for module in $(cat /modules/now); do insmod "$module" || echo "cannot load $module"; done
echo "@booted $(uname -r)"
BUN_BE_BUN=1 /ayaflow /checks.js
echo "@ended $?"
reboot -f
