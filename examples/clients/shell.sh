#!/bin/sh
# Sends one sizing request, JSON without a request_id on standard input, and prints its verdict.
#
#     echo '{"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "RTX 3090"}}' | sh shell.sh
#
# It needs redis-cli or valkey-cli, 7.0 or later.  WEIGHBRIDGE_REDIS_URL says where the queue is; docs/protocol.md says
# what goes over it.
set -eu

url=${WEIGHBRIDGE_REDIS_URL:-redis://127.0.0.1:6379/0}
prefix=${WEIGHBRIDGE_KEY_PREFIX:-weighbridge:}
patience_seconds=60
client=$(command -v redis-cli || command -v valkey-cli) || { echo "redis-cli or valkey-cli is needed" >&2; exit 69; }

# The password goes by the environment, which no list of processes shows.
user=
case $url in
*@*)
    login=${url#*://}
    login=${login%%@*}
    user=${login%%:*}
    REDISCLI_AUTH=${login#*:}
    export REDISCLI_AUTH
    url=${url%%://*}://${url#*@}
    ;;
esac

ask() {
    # -e: an error of the server is an exit status, and not an answer.
    "$client" -e -u "$url" ${user:+--user "$user"} "$@"
}

# While this key is there, no new requests are taken.
closed=$(ask GET "${prefix}intake")
if [ -n "$closed" ]; then
    echo "no requests are taken: $closed" >&2
    exit 75
fi

# -x: the request is the last argument.  What XADD prints is the request's id, as it has no other.
request_id=$(ask -x XADD "${prefix}requests" '*' request)

# The reply list has the answer, once; BLPOP prints the list's name before it.
answer=$(ask BLPOP "${prefix}reply:$request_id" "$patience_seconds" | sed 1d)
if [ -z "$answer" ]; then
    echo "no answer to $request_id came within $patience_seconds s" >&2
    exit 1
fi

# The status comes second and the verdict third; a program with a JSON parser reads them by name.
verdict=$(printf '%s\n' "$answer" | sed -n 's/^{"request_id":"[^"]*","status":"ok","verdict":"\([a-z_]*\)".*/\1/p')
if [ -z "$verdict" ]; then
    printf '%s\n' "$answer" >&2
    exit 2
fi
printf '%s %s\n' "$request_id" "$verdict"
