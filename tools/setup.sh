# Shared by quickstart and test: packages, configure, build. To be sourced from the repository's root.
# Says what it does; safe to repeat; installs nothing that is there already.

packages() { grep -v '^#' tools/packages; }

missing_packages() {
  for package in $(packages) "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
  done
}

# install_packages [EXTRA...]
install_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return 0
  echo "== installing" $missing
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "error: missing packages; as root run: apt-get install" $missing >&2; return 1; }
    sudo=sudo
  fi
  $sudo apt-get -o DPkg::Lock::Timeout=900 update -qq || echo "warning: the package lists could not be refreshed; trying with the old ones" >&2
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=900 install -y -qq --no-install-recommends $missing >/dev/null
}

# build_targets DIR TARGET... (all when none is named)
build_targets() {
  local dir=$1
  shift
  cmake -S . -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -DPython_EXECUTABLE=/usr/bin/python3 -DSILICAST_WERROR=ON >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
  rm -f "$dir.log"
  cmake --build "$dir" ${1:+--target "$@"} -- --quiet
}
