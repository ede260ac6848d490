#!/bin/sh
# A worker for the jobs of type "resize": sh worker.sh http://localhost:8080 images. Ends at Ctrl-C; needs curl and jq.
base=$1 queue=$2 name="shell-$$" lease=30

post() { # path, body, further options of curl
  path=$1 body=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 45 --retry 5 --retry-connrefused \
    -H 'Content-Type: application/json' "$@" -d "$body" "$base$path"
}

resize() { # payload; prints the result as JSON
  printf '%s' "$1" | jq -ce '{resized: (.image // error("no image"))}'
}

keep() { # sends heartbeats until it is ended, or its worker is no more
  while sleep $((lease / 3)) && kill -0 $$ 2>/dev/null; do
    post "/v1/jobs/$1/heartbeat" "{\"token\": \"$2\"}" >/dev/null
  done
}

run() { # a job
  id=$(printf '%s' "$1" | jq -r .id)
  token=$(printf '%s' "$1" | jq -r .lease.token)
  keep "$id" "$token" >/dev/null &
  keeper=$!
  trap 'kill $keeper; post "/v1/jobs/$id/release" "{\"token\": \"$token\"}"; exit 1' INT TERM
  if result=$(resize "$(printf '%s' "$1" | jq -c .payload)" 2>&1); then
    word=$(jq -cn --arg token "$token" --argjson result "$result" '{token: $token, result: $result}')
    verb=complete
  else
    word=$(jq -cn --arg token "$token" --arg why "$result" '{token: $token, error: {message: $why}}')
    verb=fail
  fi
  post "/v1/jobs/$id/$verb" "$word" >/dev/null
  kill "$keeper" 2>/dev/null
  trap - INT TERM
}

while true; do
  # The longest answer comes after 30 s, well before curl gives up: or the service would claim jobs for nobody.
  claim="{\"worker\": \"$name\", \"lease\": \"PT${lease}S\", \"types\": [\"resize\"]}"
  if claimed=$(post "/v1/queues/$queue/claims" "$claim" -H 'Prefer: wait=30' --retry 0); then
    printf '%s' "$claimed" | jq -c '.jobs[]' | while read -r job; do run "$job"; done
  else
    echo "$claimed" >&2
    sleep 2
  fi
done
