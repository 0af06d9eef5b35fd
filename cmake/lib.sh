# SPDX-License-Identifier: Apache-2.0
# Shared by tests/run, examples/devnet and .ci/run. Sourced, from the root of the checkout.

# As many jobs as there are processors, and no more than fit into memory at 1.5 GiB each.
blendr_jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
    if [ "${memory:-0}" -lt 1 ]; then memory=1; fi
    if [ "$memory" -lt "$cores" ]; then echo "$memory"; else echo "$cores"; fi
}

# Ninja's and ctest's output, reduced to a line every few seconds plus everything that is not progress. In bash, because some
# awks read ahead.
blendr_progress() {
    local line last=$SECONDS every=5
    local built='^\[([0-9]+)/([0-9]+)\]'
    local ran='^ *([0-9]+)/([0-9]+) Test +#[0-9]+: .* Passed +[0-9.]+ sec'
    local noise='^( +Start +[0-9]+: |-- |ninja: no work|\[[0-9/]+\] Re-|Internal ctest|Test project|Label Time|Total Test time)'
    noise+='|^([0-9]+% tests passed|[a-z0-9]+ +=)|^$'
    while IFS= read -r line; do
        if [[ $line =~ $noise ]]; then
            continue
        elif [[ $line =~ $built || $line =~ $ran ]]; then
            if ((SECONDS - last < every)) && [ "${BASH_REMATCH[1]}" != "${BASH_REMATCH[2]}" ]; then continue; fi
            last=$SECONDS
            if [[ $line == \[* ]]; then echo "  built ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"; fi
            if [[ $line != \[* ]]; then echo "  ran ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"; fi
        else
            printf '%s\n' "$line"
        fi
    done
}

# blendr_configure PRESET [cmake arguments]: quiet unless it fails.
blendr_configure() {
    local preset=$1 log
    shift
    log=$(mktemp)
    if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
        cat "$log"
        rm -f "$log"
        return 1
    fi
    sed -n 's/^-- \(.*: left out\)$/  \1/p; s/^-- \(libblendr [0-9].*\)$/  \1/p' "$log"
    rm -f "$log"
}

# blendr_build DIRECTORY [targets]: everything, or only these targets.
blendr_build() {
    local directory=$1 targets=()
    shift
    if [ $# -gt 0 ]; then targets=(--target "$@"); fi
    NINJA_STATUS='[%f/%t] ' cmake --build "$directory" -j "$(blendr_jobs)" "${targets[@]}" \
        -- -k "${BLENDR_KEEP_GOING:-1}" 2>&1 | blendr_progress
    return "${PIPESTATUS[0]}"
}

# blendr_ctest DIRECTORY [ctest arguments]: runs tests and sets passed, failed, failures (their names) and skipped.
blendr_ctest() {
    local directory=$1 log code=0
    shift
    log=$(mktemp)
    ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$(blendr_jobs)" "$@" \
        </dev/null >"$log" 2>&1 &
    local pid=$!
    tail -n +1 -s 0.2 -f --pid="$pid" "$log" | blendr_progress
    wait "$pid" || code=$?
    local ended='^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*'
    passed=$(grep -cE "$ended Passed +[0-9.]+ sec" "$log" || true)
    skipped=$(grep -cE "$ended\*\*\*Skipped" "$log" || true)
    mapfile -t failures < <(sed -nE '/\*\*\*Skipped/d; s/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: (.*[^ .]) *\.*[^.]*\*\*\*(.*)/\1 (\2)/p' "$log")
    failed=${#failures[@]}
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1 failures=("ctest"); fi
    if [ "$skipped" -gt 0 ]; then
        echo "  skipped:"
        sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: (.*[^ .]) *\.*\*\*\*Skipped.*/    \1/p' "$log"
        sed -n 's/^skipped: /    because: /p' "$directory/Testing/Temporary/LastTest.log" | sort -u
    fi
    rm -f "$log"
}

# blendr_verdict: the last line, and the exit status.
blendr_verdict() {
    if [ "${skipped:-0}" -gt 0 ]; then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" -eq 0 ]
}
