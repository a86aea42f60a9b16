# Sourced: `require PACKAGE…` installs the Debian packages that are missing, or says which to install.
require() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null && return 0
    fi
    echo "$0: missing packages: ${missing[*]}; install them with: apt-get install ${missing[*]}" >&2
    return 1
}
