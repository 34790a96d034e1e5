#!/usr/bin/env bash
# Asks TF Serving about texts over REST; prints a JSON line for each. Needs curl and jq.
#
#   serving/client.sh "so glad" 'she said "no"'
#   MODEL_URL=http://localhost:8501/v1/models/classifier/labels/stable serving/client.sh "so glad"
set -euo pipefail
model="${MODEL_URL:-http://localhost:8501/v1/models/classifier}"
if (( $# == 0 )); then
    echo "usage: $0 TEXT..." >&2
    exit 2
fi
# jq writes texts as JSON: quotes, backslashes and line breaks need no care here.
jq --null-input --compact-output '{instances: $ARGS.positional}' --args -- "$@" |
    curl --silent --show-error --max-time 10 --retry 1 --retry-connrefused \
        --header 'Content-Type: application/json' --data-binary @- "$model:predict" |
    jq --compact-output '
        if .error then error(.error) else .predictions[] end |
        # REST leaves the name out where a signature has one output: that of a regression.
        if type == "object" then . else {value: .} end'
