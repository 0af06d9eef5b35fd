#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What someone who uses the package does. Run by ctest, which sets the variables.
set -euo pipefail
prefix=$WORK/prefix
example=$SOURCE/examples/01_keys/main.cpp
[ -e "$example" ] || example=$SOURCE/tests/house/consumer/main.cpp

configure() {
    "$CMAKE" -S "$SOURCE/tests/house/consumer" -B "$1" -G "$GENERATOR" -DCMAKE_CXX_COMPILER="$CXX" \
        -DCMAKE_BUILD_TYPE=Release -DEXAMPLE="$example" "${@:2}"
}
case $1 in
    install)
        rm -rf "$WORK"
        "$CMAKE" --install "$BUILD" --prefix "$prefix" >/dev/null
        ;;
    cmake)
        configure "$WORK/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCOMPONENTS="${COMPONENTS// /;}"
        "$CMAKE" --build "$WORK/cmake"
        "$WORK/cmake/consumer"
        ;;
    pkgconfig)
        export PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig
        flags=$(pkg-config --cflags --libs blendr)
        # shellcheck disable=SC2086  # flags are words
        "$CXX" -O1 "$example" $flags -o "$WORK/with-pkg-config"
        "$WORK/with-pkg-config"
        for component in $COMPONENTS; do
            [ "$component" = core ] || pkg-config --libs "blendr-$component" >/dev/null
        done
        ;;
    missing)
        if said=$(configure "$WORK/missing" -DCMAKE_PREFIX_PATH="$prefix" -DCOMPONENTS="core;attic" 2>&1); then
            echo "configured with a component that does not exist"
            exit 1
        fi
        grep -q "without its component attic" <<<"$said"
        ;;
    subdirectory)
        # Only the version is compiled here: the rest is the same code that the tests have just run.
        work=$WORK-subdirectory
        rm -rf "$work"
        configure "$work" -DSUBDIRECTORY="$SOURCE"
        "$CMAKE" --build "$work" --target compiles_one_file
        if "$CMAKE" --build "$work" --target help | grep -E '(^| |/)(test_|example_|bench_|replay_)'; then
            echo "tests, examples or benches reach a project that only uses the library"
            exit 1
        fi
        ;;
esac
