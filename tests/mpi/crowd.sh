#!/bin/sh
# crowd.sh DIR N HOW makes N hosts on one machine. Each host has its own network, process IDs, host name,
# /tmp and /root. DIR/root is the file system of an image, DIR/HOW-N-I is the /opt/ml of host I, and
# DIR/host.sh is the script that each host runs. It needs root, and must run inside `unshare -n -m -p -f`,
# so that all of it vanishes at the end.
set -eu
dir=$1 n=$2 how=$3
root="$dir/root"
mount -t tmpfs run /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs run /run/netns; }
ip link add br0 type bridge
ip link set br0 up
echo "127.0.0.1 localhost" >"$root/etc/hosts"
for i in $(seq "$n"); do
  ip netns add "h$i"
  ip link add "v$i" type veth peer name eth0 netns "h$i"
  ip link set "v$i" master br0 up
  ip -n "h$i" addr add "10.99.0.$i/16" dev eth0
  ip -n "h$i" link set eth0 up
  ip -n "h$i" link set lo up
  echo "10.99.0.$i algo-$i" >>"$root/etc/hosts"
done
for i in $(seq "$n" -1 1); do
  ip netns exec "h$i" unshare -m -u -p -f sh -c '
    hostname "algo-$1"
    mount -t tmpfs tmp "$3/tmp"
    mount -t tmpfs root "$3/root"
    mount -t proc proc "$3/proc"
    mount --rbind /dev "$3/dev"
    mount -t tmpfs shm "$3/dev/shm"
    mount --bind "$4" "$3/opt/ml"
    mount --bind "$5" "$3/mnt"
    exec chroot "$3" sh /mnt/host.sh "$1" "$2"' \
    sh "$i" "$n" "$root" "$dir/$how-$n-$i" "$dir" >"$dir/$how-$n-$i/log" 2>&1 &
  last=$! # algo-1 starts last, and the job ends when it ends
done
wait "$last"
