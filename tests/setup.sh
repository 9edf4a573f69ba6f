#!/bin/sh
# Install the programs that the tests open files and windows with. Needs Debian's apt and root; otherwise says what to install.
set -eu
cd "$(dirname "$0")"
missing=""
command -v magick >/dev/null 2>&1 || dpkg -s imagemagick >/dev/null 2>&1 || missing="$missing imagemagick"
command -v node >/dev/null 2>&1 || missing="$missing nodejs npm"
[ -z "$missing" ] || {
  [ "$(id -u)" = 0 ] || { echo "please install:$missing"; exit 1; }
  apt-get update -q
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}
