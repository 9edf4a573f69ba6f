#!/bin/sh
# Install the programs that the tests open files and windows with, and the font that the model's judge compares with.
# Needs Debian's apt, and root or sudo; elsewhere it says what to install.
set -eu
missing=""
for package in imagemagick fonts-noto-color-emoji; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
[ -n "$missing" ] || exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
  echo "please install:$missing" >&2
  exit 1
fi
$sudo apt-get update -q
# shellcheck disable=SC2086 # a list of names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
