#!/bin/sh
# Writes .env (or the file named) from .env.example with a fresh random secret for every placeholder.
# Never touches a file that exists.
set -eu

cd "$(dirname "$0")/.."
target=${1:-.env}
if [ -e "$target" ]; then
  echo "$target exists already and was left as it is." >&2
  exit 1
fi

umask 077
# noclobber: a file that appeared since the check above is not overwritten either.
set -C
while IFS= read -r line; do
  case $line in
    *=replace-me-*)
      secret=$(od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n')
      printf '%s=%s\n' "${line%%=*}" "$secret"
      ;;
    *) printf '%s\n' "$line" ;;
  esac
done <.env.example >"$target"
echo "Wrote $target."
