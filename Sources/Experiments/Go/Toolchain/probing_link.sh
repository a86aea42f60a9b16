#!/bin/sh
# Stands where `go build` looks for the linker: runs Go's own, which is in the folder of probes, and adds what probes need
# to what it linked. What cannot be patched is no output: its stacks would have no end.
probes=${0%/*}/../../../probes

case ${1-} in
-V*)
    # By this line `go` tells what different linkers, and different probes, made.
    version=$("$probes/link" "$@") || exit
    printf '%s probes-@IDENTITY@\n' "$version"
    exit
    ;;
esac

# One a line. Those that are too long for a command line are in a file, with quotes and backslashes where it takes them.
arguments() {
    for argument
    do
        case $argument in
        @*) sed -e 's/^"\(.*\)"$/\1/' -e 's/\\\(.\)/\1/g' "${argument#@}" ;;
        *) printf '%s\n' "$argument" ;;
        esac
    done
}

output=$(arguments "$@" | sed -n -e 's/^--*o=//p' -e '/^--*o$/{n;p;}' | tail -n 1)
case ${output:=a.out} in
/*) ;;
*) output=./$output ;;
esac

# Only files: a device that somebody named stays.
discard() {
    rm -f "$output.probes"
    if [ -f "$output" ]
    then rm -f "$output"
    fi
}

"$probes/link" "$@" || exit
trap 'discard; exit 1' HUP INT TERM
if "$probes/faultline" go strip --growth fault --output "$output.probes" "$output" >/dev/null &&
    mv -f "$output.probes" "$output"
then exit 0
fi
discard
exit 1
