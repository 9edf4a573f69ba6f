#!/bin/bash
# build_tree.sh [SUITE]: make, or reuse, a Debian tree that holds the real Krita and the real GIMP for the editor tests.
#
#   trixie  (default)  Krita 5.2 (PyQt5) and GIMP 3.0. This one gates.
#   forky              Krita 5.3 (PyQt5) and GIMP 3.2. A moving target, for a look ahead.
#   sid                Krita 6 (PyQt6) from experimental, no GIMP. A moving target, for a look ahead.
#
# Needs root and a Debian whose apt works; the mirrors are read from there, none is written here. The tree is about 1.3 GB,
# takes two to four minutes, and lies outside the checkout in $ACETATE_EDITORS (default /var/cache/acetate-editors). It is
# built beside its final name, stamped with the recipe and renamed: an interrupted build leaves nothing that looks finished.
# Prints the tree's path on the last line.
set -euo pipefail

SUITE=${1:-trixie}
CACHE=${ACETATE_EDITORS:-/var/cache/acetate-editors}
TREE=$CACHE/$SUITE

# Both editors without Recommends would lack Python's Qt and GObject bindings, and icons.
COMMON=(xvfb xauth xdotool openbox imagemagick fonts-dejavu-core adwaita-icon-theme procps)
case $SUITE in
  trixie | forky) PACKAGES=(krita python3-pyqt5 gimp python3-gi "${COMMON[@]}") ;;
  sid) PACKAGES=(python3-pyqt6 qt6-svg-plugins "${COMMON[@]}") ;; # Krita itself comes from experimental, below
  *) echo "build_tree.sh: no recipe for the suite '$SUITE'; there are trixie, forky and sid" >&2; exit 2 ;;
esac
RECIPE=$(cat "$0" <(printf '%s\n' "$SUITE") | sha256sum | cut -c1-16)

is_finished() { [ -f "$TREE/.stamp" ] && [ "$(cat "$TREE/.stamp")" = "$RECIPE" ]; }
if is_finished; then echo "$TREE"; exit 0; fi

[ "$(id -u)" = 0 ] || { echo "build_tree.sh: $TREE has to be built once, by root" >&2; exit 1; }
mkdir -p "$CACHE"
exec 9> "$CACHE/.lock-$SUITE" # a second build of the same suite waits, then finds the first one's result
flock 9
if is_finished; then echo "$TREE"; exit 0; fi

mirror() { apt-get indextargets --format '$(SITE) $(RELEASE)' 2> /dev/null | sort -u | awk -v suite="$1" '$2 == suite { print $1; exit }'; }
RELEASE=$(. /etc/os-release && echo "$VERSION_CODENAME")
[ -n "$(mirror "$RELEASE")" ] || apt-get update -q >&2 # apt knows no index before its first update
MAIN=$(mirror "$RELEASE") SECURITY=$(mirror "$RELEASE-security")
[ -n "$MAIN" ] || { echo "build_tree.sh: apt on this machine has no source for $RELEASE; add one to /etc/apt/sources.list.d" >&2; exit 1; }
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
sources() {
  echo "deb [signed-by=$KEYS] $MAIN $SUITE main"
  case $SUITE in
    trixie)
      echo "deb [signed-by=$KEYS] $MAIN trixie-updates main"
      [ -z "$SECURITY" ] || echo "deb [signed-by=$KEYS] $SECURITY trixie-security main" ;;
    sid) echo "deb [signed-by=$KEYS] $MAIN experimental main" ;;
  esac
}
command -v mmdebstrap > /dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends mmdebstrap; } >&2

options=(--mode=root --variant=apt --architectures="$(dpkg --print-architecture)" --include="$(IFS=,; echo "${PACKAGES[*]}")"
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"'
  --dpkgopt=force-unsafe-io)
for useless in man doc locale info; do options+=(--dpkgopt="path-exclude=/usr/share/$useless/*"); done
# mmdebstrap starts from an empty apt configuration. A mirror may lag behind the clock, and a machine that lives with that
# says so in its own configuration; without the same words here an expired index of a moving suite ends the build.
while IFS= read -r line; do options+=(--aptopt="${line%;}"); done \
  < <(apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|https?::Proxy) ')
[ "$SUITE" != sid ] || options+=(--customize-hook='chroot "$1" apt-get install -q -y --no-install-recommends -t experimental krita')

NEW=$TREE.new
rm -rf --one-file-system "$NEW"
sources | mmdebstrap "${options[@]}" "$SUITE" "$NEW" - >&2
echo "$RECIPE" > "$NEW/.stamp"
rm -rf --one-file-system "$TREE" "$TREE.krita-home" # a warm home belongs to one build of Krita
mv "$NEW" "$TREE"
dpkg-query --admindir="$TREE/var/lib/dpkg" -W krita gimp python3 >&2 || true
echo "$TREE"
