#!/bin/bash
# enter_tree.sh TREE SHARE COMMAND...: run COMMAND inside the editors' tree that build_tree.sh made.
#
# SHARE, a folder of this machine, is seen under the same path inside, so that files, sockets and the server's state file have
# one name on both sides. Everything else of this machine is at /host. The network is this machine's own: a server on
# 127.0.0.1 is reached from inside. The mounts live in a private namespace and vanish with the last process; the PID
# namespace takes every process that COMMAND left behind (the editor, its X server) with it, also when this script is killed.
set -euo pipefail
TREE=$(realpath "$1") SHARE=$(realpath "$2")
shift 2
exec unshare --mount --propagation private --pid --fork --kill-child -- bash -ec '
  tree=$1 share=$2
  shift 2
  mkdir -p "$tree/host"
  mount --rbind / "$tree/host"
  mount -t proc proc "$tree/proc"
  mount --rbind /dev "$tree/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$tree/tmp" # private: no stale X sockets or locks
  mkdir -p "$tree$share"
  mount --bind "$share" "$tree$share"
  # No exec: bash stays process 1 of the namespace and reaps orphans; some versions of timeout(1) refuse to be process 1.
  chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=dumb "$@" && exit 0 || exit $?
' enter_tree "$TREE" "$SHARE" "$@"
