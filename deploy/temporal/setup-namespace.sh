#!/bin/sh
# Creates the namespace and registers the search attributes given as arguments, each as Name=Type. Ends when the
# frontend answers queries by every one of them, so that a worker started next can set them. Repeatable.
# Connection by TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
set -eu

patience=60

# Repeats a command once a second until it succeeds; fails with its last output when patience has run out.
eventually() {
  attempt=0
  until output=$("$@" 2>&1); do
    attempt=$((attempt + 1))
    if [ "$attempt" -ge "$patience" ]; then
      printf 'Gave up after %s attempts: %s\n%s\n' "$attempt" "$*" "$output" >&2
      return 1
    fi
    sleep 1
  done
}

eventually temporal operator cluster health

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
fi

for attribute in "$@"; do
  name=${attribute%%=*}
  type=${attribute#*=}
  eventually temporal operator search-attribute create --name "$name" --type "$type"
done

for attribute in "$@"; do
  name=${attribute%%=*}
  eventually temporal workflow count --query "$name IS NOT NULL"
done

echo "Namespace $TEMPORAL_NAMESPACE is ready: $*"
