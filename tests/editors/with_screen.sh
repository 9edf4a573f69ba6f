#!/bin/bash
# with_screen.sh WIDTHxHEIGHT COMMAND...: run COMMAND on a private screen with a small window manager. Runs inside the tree.
set -euo pipefail
size=$1
shift
display=$(mktemp -u)
mkfifo "$display" # read blocks until the server has chosen a free display and accepts connections
Xvfb -displayfd 3 -screen 0 "${size}x24" -nolisten tcp 3> "$display" > /dev/null 2>&1 &
DISPLAY=:$(cat "$display")
export DISPLAY
rm "$display"
openbox > /dev/null 2>&1 &
exec "$@"
