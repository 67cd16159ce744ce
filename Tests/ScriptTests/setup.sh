#!/usr/bin/env bash
# One case of scripts/setup, in a folder of its own: setup.sh CASE. It works on a copy of the script with a
# lock file and a wheel made here, and never on the network. Prints what went wrong and exits 1.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/scripts" "$work/wheels" "$work/bin"
cp "$root/scripts/setup" "$root/scripts/packages.txt" "$root/scripts/packages-tests.txt" "$work/scripts/"
export ASSAY_HOME=$work/home
wheel=tiny_runtime-1.0-cp311-cp311-manylinux_2_27_$(uname -m).whl
folder=$ASSAY_HOME/runtimes/onnxruntime/1.0

python3 - "$work/wheels/$wheel" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr("onnxruntime/capi/libonnxruntime.so.1.0", b"\x7fELF")
    wheel.writestr("onnxruntime/capi/onnxruntime_pybind11_state.so", b"\x7fELF not wanted")
    wheel.writestr("onnxruntime/LICENSE", "a licence")
    wheel.writestr("onnxruntime/__init__.py", "")
PYTHON
sha=$(sha256sum "$work/wheels/$wheel" | cut -d' ' -f1)
pin() { echo "onnxruntime tiny-runtime 1.0 $(uname -m) libonnxruntime.so.1.0 $1 $wheel" >"$work/scripts/runtimes.lock"; }
pin "$sha"

# Assets are left alone but by the case that is about them.
assets=--no-assets
setup() { "$work/scripts/setup" --no-packages $assets "$@" >"$work/out" 2>"$work/err"; }
wrong() {
  echo "$*"
  echo "stdout: $(cat "$work/out")"
  echo "stderr: $(cat "$work/err")"
  exit 1
}
says() { grep -qF -- "$1" "$work/out" "$work/err" || wrong "nothing says: $1"; }
exits() {
  local expected=$1 status=0
  shift
  "$@" || status=$?
  [ "$status" = "$expected" ] || wrong "exit code $status, expected $expected"
}
# A `python3 -m pip` that copies what FAKE_WHEEL names into the folder after --dest.
fakePip() {
  cat >"$work/bin/python" <<'FAKE'
#!/usr/bin/env bash
[ "$1 $2" = "-m pip" ] || exec python3 "$@"
case " $* " in *" --version "* | *" --help "*) exit 0 ;; esac
while [ "$1" != --dest ]; do shift; done
[ -n "$FAKE_WHEEL" ] || { echo "no route to the index" >&2; exit 1; }
cp "$FAKE_WHEEL" "$2"
FAKE
  chmod +x "$work/bin/python"
  export PYTHON=$work/bin/python FAKE_WHEEL=${1-}
}

case $1 in
  unpacks)
    exits 0 setup --from "$work/wheels"
    [ "$(ls -x -w 0 "$folder" | tr -s ' ')" = "libonnxruntime.so.1.0 licences runtime.json" ] || wrong "holds $(ls "$folder")"
    [ -f "$folder/licences/LICENSE" ] || wrong "the licence is missing"
    for word in '"name": "onnxruntime"' '"version": "1.0"' "\"$sha\"" "\"$wheel\"" '"library": "libonnxruntime.so.1.0"'; do
      grep -qF -- "$word" "$folder/runtime.json" || wrong "runtime.json lacks $word: $(cat "$folder/runtime.json")"
    done
    [ -f "$work/wheels/$wheel" ] || wrong "it removed the user's wheel"
    rm -r "$work/wheels"
    exits 0 setup
    says "present"
    ;;
  downloads)
    fakePip "$work/wheels/$wheel"
    exits 0 setup
    [ -f "$folder/libonnxruntime.so.1.0" ] || wrong "not installed"
    [ ! -e "$ASSAY_HOME/downloads" ] || wrong "downloads were left behind"
    ;;
  resumes)
    # What an interrupted run leaves: a verified wheel and half an unpacked folder.
    mkdir -p "$ASSAY_HOME/downloads" "$folder.new" "$folder"
    cp "$work/wheels/$wheel" "$ASSAY_HOME/downloads/"
    touch "$folder.new/half" "$folder/libonnxruntime.so.1.0"
    fakePip ""
    exits 0 setup
    [ -f "$folder/runtime.json" ] && [ ! -e "$folder/half" ] && [ ! -e "$folder.new" ] || wrong "holds $(ls "$folder")"
    ;;
  unreachable)
    fakePip ""
    exits 3 setup
    says "no route to the index"
    says "pip could not download tiny-runtime 1.0"
    says "remedy:"
    [ ! -e "$folder" ] || wrong "something was installed"
    ;;
  otherHash)
    pin "$(printf '0%.0s' {1..64})"
    exits 3 setup --from "$work/wheels"
    says "$sha"
    fakePip "$work/wheels/$wheel"
    exits 3 setup
    says "pinned is 0000"
    [ ! -e "$folder" ] && [ ! -e "$ASSAY_HOME/downloads/$wheel" ] || wrong "the wrong file was kept"
    ;;
  otherVersion)
    exits 0 setup --from "$work/wheels"
    echo "changed" >"$folder/libonnxruntime.so.1.0"
    sed -i 's/"sha256": "./"sha256": "x/' "$folder/runtime.json"
    exits 1 setup --check
    exits 0 setup --from "$work/wheels"
    if grep -q changed "$folder/libonnxruntime.so.1.0"; then wrong "a runtime with another hash was kept"; fi
    ;;
  absentWheel)
    mkdir "$work/empty"
    exits 3 setup --from "$work/empty"
    says "has no $wheel"
    says "--download-only"
    ;;
  check)
    exits 1 setup --check
    says "missing"
    [ ! -e "$ASSAY_HOME" ] || wrong "--check made $ASSAY_HOME"
    ;;
  tests)
    # A folder of a wheel, with its folders; the rest of the wheel stays behind.
    set=suite-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
    python3 - "$work/wheels/$set" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("suite/data/one/model.onnx", b"model")
    wheel.writestr("suite/code.py", "")
PYTHON
    hash=$(sha256sum "$work/wheels/$set" | cut -d' ' -f1)
    echo "onnx-node suite 1.0 any suite/data $hash $set" >"$work/scripts/tests.lock"
    exits 1 setup --no-runtimes --tests --check
    exits 0 setup --no-runtimes --tests --from "$work/wheels"
    [ "$(cat "$ASSAY_HOME/tests/onnx-node/1.0/one/model.onnx")" = model ] || wrong "nothing unpacked"
    [ ! -e "$ASSAY_HOME/tests/onnx-node/1.0/code.py" ] || wrong "too much unpacked"
    exits 0 setup --no-runtimes --tests --check
    says "present"
    echo "onnx-node suite 1.0 any suite/data ${hash//?/0} $set" >"$work/scripts/tests.lock"
    exits 3 setup --no-runtimes --tests --from "$work/wheels"
    # A file that would land outside of the folder.
    python3 - "$work/wheels/$set" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("suite/data/../../../../outside", b"x")
PYTHON
    hash=$(sha256sum "$work/wheels/$set" | cut -d' ' -f1)
    echo "onnx-node suite 1.0 any suite/data $hash $set" >"$work/scripts/tests.lock"
    exits 3 setup --no-runtimes --tests --from "$work/wheels"
    [ ! -e "$ASSAY_HOME/outside" ] || wrong "a file escaped"
    ;;
  assets)
    # One file of a wheel for every system, and its licence; the rest stays behind.
    assets=
    set=charts-2.0-py3-none-any.whl
    python3 - "$work/wheels/$set" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("charts/data/charts.min.js", b"draw")
    wheel.writestr("charts/data/other.js", b"")
    wheel.writestr("charts-2.0.dist-info/licenses/LICENSE.txt", b"free")
PYTHON
    hash=$(sha256sum "$work/wheels/$set" | cut -d' ' -f1)
    echo "plotly charts 2.0 charts/data/charts.min.js $hash $set" >"$work/scripts/assets.lock"
    exits 1 setup --no-runtimes --check
    exits 0 setup --no-runtimes --from "$work/wheels"
    [ "$(ls "$ASSAY_HOME/assets/plotly/2.0" | tr '\n' ' ')" = "LICENSE.txt charts.min.js setup.json " ] || wrong "$(ls "$ASSAY_HOME/assets/plotly/2.0")"
    exits 0 setup --no-runtimes --check
    says "present"
    echo "plotly charts 2.0 charts/data/charts.min.js ${hash//?/0} $set" >"$work/scripts/assets.lock"
    exits 3 setup --no-runtimes --from "$work/wheels"
    ;;
  usage)
    exits 2 setup --frmo x
    says "unknown option '--frmo'"
    exits 2 setup --from
    exits 2 setup --from x --download-only y
    exits 3 setup --cpu sparc
    says "no runtime is pinned"
    ;;
  lock)
    # The real lock file: complete rows, each runtime for both processors, no hash twice.
    rows=$(grep -v '^#' "$root/scripts/runtimes.lock" | grep .)
    while read -r runtime project version cpu library hash file rest; do
      [[ $hash =~ ^[0-9a-f]{64}$ && -z $rest && $file == *-"$version"-*"$cpu".whl && -n $library && -n $project ]] || { echo "bad row: $runtime $version $cpu"; exit 1; }
    done <<<"$rows"
    for runtime in $(cut -d' ' -f1 <<<"$rows" | sort -u); do
      [ "$(grep -c "^$runtime " <<<"$rows")" = 2 ] || { echo "$runtime is not there for both processors"; exit 1; }
    done
    [ -z "$(awk '{ print $6 }' <<<"$rows" | sort | uniq -d)" ] || { echo "a hash stands twice"; exit 1; }
    ;;
  *) echo "no case $1"; exit 1 ;;
esac
