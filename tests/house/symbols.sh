#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols.sh hidden NM PLUGIN: the dynamic symbols of PLUGIN, which holds the whole library, include none of ours. What
# the standard library makes of our types (a std::map of them, say) is its own, and it exports everything.
# symbols.sh lanes NM ARCHIVES: objects built for special instructions define no function that the linker may choose
# for code that runs everywhere (an inline function of the standard library, say).
set -euo pipefail
what=$1 nm=$2
shift 2
case $what in
    hidden) found=$("$nm" -D --defined-only "$1" | grep -E ' _Z[A-Z]*6blendr' || true) ;;
    lanes) found=$("$nm" -A "$@" 2>/dev/null | grep -E '_avx(2|512)\.cpp\.o:' | grep -E ' W ' || true) ;;
esac
[ -z "$found" ] && exit 0
echo "$found" | c++filt
exit 1
