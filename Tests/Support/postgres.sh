#!/bin/sh
# A PostgreSQL server for tests: makes it in a new folder, prints `ready FOLDER`, and takes everything away
# again when its standard input ends. Prints `none REASON` where there is no server to start.
set -u
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
  command -v initdb >/dev/null || { echo "none PostgreSQL's server is not installed (Debian: postgresql)"; exit 0; }
  bin=$(dirname "$(command -v initdb)")
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/assay-postgres-XXXXXX") || { echo "none no temporary folder"; exit 0; }
as=""
if [ "$(id -u)" = 0 ]; then
  # The server refuses to run as root.
  user=nobody
  ! id postgres >/dev/null 2>&1 || user=postgres
  command -v setpriv >/dev/null || { echo "none there is no setpriv to leave root with"; rm -rf "$folder"; exit 0; }
  as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups --"
  chown "$user" "$folder"
fi
cd "$folder" || exit 1
if ! $as "$bin/initdb" -D "$folder/data" -U assay --auth=trust --no-sync -E UTF8 --no-locale >"$folder.log" 2>&1; then
  echo "none initdb failed: $(tail -n 1 "$folder.log")"
  rm -rf "$folder" "$folder.log"
  exit 0
fi
$as "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=60 \
  >"$folder.log" 2>&1 </dev/null &
server=$!
tries=0
until $as "$bin/psql" -h "$folder" -U assay -d postgres -qc 'SELECT 1' >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ]; then
    echo "none the server does not answer: $(tail -n 1 "$folder.log")"
    break
  fi
  sleep 0.1
done
[ "$tries" -gt 100 ] || echo "ready $folder $bin"
cat >/dev/null
kill -INT "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$folder" "$folder.log"
