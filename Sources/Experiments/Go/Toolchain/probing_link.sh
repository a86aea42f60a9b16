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

output= is_output=
look() {
    if [ "$is_output" ]
    then
        output=$1 is_output=
        return
    fi
    case $1 in
    -o | --o) is_output=yes ;;
    -o=* | --o=*) output=${1#*=} ;;
    esac
}

# Those that are too long for a command line are in a file, one a line, with quotes and backslashes where it takes them.
for argument
do
    case $argument in
    @*)
        while IFS= read -r line
        do look "$line"
        done <<END
$(sed -e 's/^"\(.*\)"$/\1/' -e 's/\\\(.\)/\1/g' "${argument#@}")
END
        ;;
    *) look "$argument" ;;
    esac
done
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
