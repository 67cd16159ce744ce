_assay() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  local command="${COMP_WORDS[1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "try convert optimize inspect run classify bench trtexec ncs2 ethos-u snpe qnn compare profile study sweep store devices bundle tools phone power verify diff recipe sensitivity rate label report figures doctor edgetpu cache train data detect zoo evaluate serve export-site completions" -- "$word"))
    return
  fi
  if [ "$command" = study ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "threads batch affinity" -- "$word"))
      return
    fi
    case " threads batch affinity " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = store ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "list show export import copy migrate" -- "$word"))
      return
    fi
    case " list show export import copy migrate " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = devices ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "probe release clean pair connect" -- "$word"))
      return
    fi
    case " probe release clean pair connect " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = tools ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "list add remove" -- "$word"))
      return
    fi
    case " list add remove " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = phone ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "table" -- "$word"))
      return
    fi
    case " table " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = power ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "list record show join selftest" -- "$word"))
      return
    fi
    case " list record show join selftest " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = train ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "fire-detection tcn-autoencoder" -- "$word"))
      return
    fi
    case " fire-detection tcn-autoencoder " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = data ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "fire-scenes mackey-glass prepare" -- "$word"))
      return
    fi
    case " fire-scenes mackey-glass prepare " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  if [ "$command" = zoo ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -o default -W "list show build check fetch" -- "$word"))
      return
    fi
    case " list show build check fetch " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
  fi
  case "$command $before" in
    "try --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "try --openvino-format") COMPREPLY=($(compgen -W "openvino onnx tflite" -- "$word")); return;;
    "try --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "try --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "convert --fallback") COMPREPLY=($(compgen -W "float refuse" -- "$word")); return;;
    "convert --io-layout") COMPREPLY=($(compgen -W "keep nhwc nchw" -- "$word")); return;;
    "convert --ir-version") COMPREPLY=($(compgen -W "10 11" -- "$word")); return;;
    "optimize --schedule") COMPREPLY=($(compgen -W "polynomial constant" -- "$word")); return;;
    "run --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "run --clock") COMPREPLY=($(compgen -W "low medium standard maximum" -- "$word")); return;;
    "run --head") COMPREPLY=($(compgen -W "classes yolov8 ssd deeplab movenet" -- "$word")); return;;
    "classify --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu xnnpack nnapi hexagon" -- "$word")); return;;
    "bench --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu xnnpack nnapi hexagon" -- "$word")); return;;
    "bench --clock") COMPREPLY=($(compgen -W "low medium standard maximum" -- "$word")); return;;
    "bench --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "bench --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "bench --scenario") COMPREPLY=($(compgen -W "single-stream multi-stream offline server" -- "$word")); return;;
    "trtexec --precision") COMPREPLY=($(compgen -W "fp32 fp16 int8 int8+fp16" -- "$word")); return;;
    "ncs2 --target") COMPREPLY=($(compgen -W "MYRIAD CPU" -- "$word")); return;;
    "ncs2 --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "ncs2 --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "ethos-u --accelerator") COMPREPLY=($(compgen -W "ethos-u55-32 ethos-u55-64 ethos-u55-128 ethos-u55-256 ethos-u65-256 ethos-u65-512 ethos-u85-128 ethos-u85-256 ethos-u85-512 ethos-u85-1024 ethos-u85-2048" -- "$word")); return;;
    "snpe --processor") COMPREPLY=($(compgen -W "cpu gpu dsp" -- "$word")); return;;
    "qnn --processor") COMPREPLY=($(compgen -W "cpu gpu dsp" -- "$word")); return;;
    "compare --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "compare --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "compare --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "compare --scenario") COMPREPLY=($(compgen -W "single-stream multi-stream offline server" -- "$word")); return;;
    "profile --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "profile --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "profile --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "study threads --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "study threads --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "study threads --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "study batch --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "study batch --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "study batch --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "study affinity --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "study affinity --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "study affinity --preflight") COMPREPLY=($(compgen -W "strict tag" -- "$word")); return;;
    "sweep --executor") COMPREPLY=($(compgen -W "local slurm" -- "$word")); return;;
    "store export --format") COMPREPLY=($(compgen -W "jsonl csv" -- "$word")); return;;
    "store import --format") COMPREPLY=($(compgen -W "jsonl csv benchmark_model benchmark_app trtexec loadgen mvncprofile vela strep edge-acc mlflow" -- "$word")); return;;
    "bundle --runtime") COMPREPLY=($(compgen -W "litert onnxruntime openvino" -- "$word")); return;;
    "bundle --cpu") COMPREPLY=($(compgen -W "aarch64 x86_64" -- "$word")); return;;
    "tools add --kind") COMPREPLY=($(compgen -W "benchmark_model benchmark_litert_model benchmark-apk snpe qnn" -- "$word")); return;;
    "phone table --preset") COMPREPLY=($(compgen -W "quick standard strict" -- "$word")); return;;
    "verify --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "rate --method") COMPREPLY=($(compgen -W "assay edge-acc strep" -- "$word")); return;;
    "rate --index") COMPREPLY=($(compgen -W "best centered" -- "$word")); return;;
    "rate --mode") COMPREPLY=($(compgen -W "mean median best worst" -- "$word")); return;;
    "report --format") COMPREPLY=($(compgen -W "html pdf svg png csv md tex" -- "$word")); return;;
    "train --class-weights") COMPREPLY=($(compgen -W "none balanced" -- "$word")); return;;
    "train fire-detection --class-weights") COMPREPLY=($(compgen -W "none balanced" -- "$word")); return;;
    "train fire-detection --preset") COMPREPLY=($(compgen -W "fast full" -- "$word")); return;;
    "detect --gaps") COMPREPLY=($(compgen -W "refuse interpolate" -- "$word")); return;;
    "detect --statistics") COMPREPLY=($(compgen -W "series stored" -- "$word")); return;;
    "detect --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "data mackey-glass --noise") COMPREPLY=($(compgen -W "uniform walk normal none" -- "$word")); return;;
    "train tcn-autoencoder --preset") COMPREPLY=($(compgen -W "fast full" -- "$word")); return;;
    "train tcn-autoencoder --scaling") COMPREPLY=($(compgen -W "zscore minmax none" -- "$word")); return;;
    "train tcn-autoencoder --pooling") COMPREPLY=($(compgen -W "average max" -- "$word")); return;;
    "train tcn-autoencoder --gaps") COMPREPLY=($(compgen -W "refuse interpolate" -- "$word")); return;;
    "zoo list --task") COMPREPLY=($(compgen -W "classification detection segmentation instance-segmentation anomaly-detection keyword-spotting text-encoding" -- "$word")); return;;
    "zoo build --task") COMPREPLY=($(compgen -W "classification detection segmentation instance-segmentation anomaly-detection keyword-spotting text-encoding" -- "$word")); return;;
    "zoo check --task") COMPREPLY=($(compgen -W "classification detection segmentation instance-segmentation anomaly-detection keyword-spotting text-encoding" -- "$word")); return;;
    "evaluate --provider") COMPREPLY=($(compgen -W "cpu gpu tpu npu" -- "$word")); return;;
    "evaluate --head") COMPREPLY=($(compgen -W "classes yolov8 ssd deeplab movenet" -- "$word")); return;;
    "evaluate --coco-classes") COMPREPLY=($(compgen -W "80 90 91 set" -- "$word")); return;;
    "evaluate --executor") COMPREPLY=($(compgen -W "local slurm" -- "$word")); return;;
  esac
  case "$command" in
    try) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--representative --labels --data --label-names --preprocess --recipes --runtimes --provider --threads --openvino-format --max-drop --max-latency --max-size --device --preset --preflight --limit --calibration-limit --seed --no-profile --output --store --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    convert) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --recipe --skip --keep-float --fallback --calibration --representative --preprocess --limit --max-drop --labels --data --label-names --validation-limit --threads --io-layout --opset --ir-version --allow-custom --no-verify --certificate --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    optimize) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--recipe --output --data --labels --label-names --test --test-labels --holdout --preprocess --epochs --batch --learning-rate --augment --seed --schedule --begin --end --frequency --only --spare --spare-first --spare-last --no-resume --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    inspect) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--canonical --dump --html --group --certificate --record --store --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    run) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--input --image --output --dequantize --runtime --provider --clock --tpu --threads --device --preprocess --shape --value --head --draw --min-score --label-names --json --quiet --help" -- "$word"));;
    classify) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--images --label-names --top --repeat --adb-images --runtime --provider --threads --device --preprocess --tool --app --cores --cool-down --tool-flag --json --quiet --help" -- "$word"));;
    bench) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--runtime --provider --clock --tpu --threads --device --preset --store --input --variant --no-profile --seed --preflight --no-audit --no-starts --image --preprocess --meter --marker --estimate-power --trace --co2 --plot --scenario --percentile --target-latency --rate --streams --samples-per-query --duration --count --width --sustained --max-rounds --baseline --as-recorded --max-regression --junit --markdown --tool --app --cores --cool-down --tool-flag --json --quiet --help" -- "$word"));;
    trtexec) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--precision --shape --duration --timeout --no-profile --variant --device --store --json --quiet --help" -- "$word"));;
    ncs2) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--measure --target --output --preset --preflight --store --seed --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    ethos-u) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--accelerator --system-config --memory-mode --output --timeout --no-store --store --json --quiet --help" -- "$word"));;
    snpe) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--device --input --processor --output --store --shape --seconds --json --quiet --help" -- "$word"));;
    qnn) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--device --input --processor --output --store --shape --runs --json --quiet --help" -- "$word"));;
    compare) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--runtime --provider --device --clock --tpu --threads --preset --preflight --store --input --seed --max-regression --junit --markdown --scenario --percentile --target-latency --rate --streams --samples-per-query --duration --count --json --quiet --help" -- "$word"));;
    profile) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--runtime --provider --threads --device --preset --preflight --store --input --runs --top --html --svg --trace --fresh --json --quiet --help" -- "$word"));;
    "study threads") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--counts --runtime --provider --device --preset --preflight --store --seed --html --svg --png --json --quiet --help" -- "$word"));;
    "study batch") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--batches --threads --runtime --provider --device --preset --preflight --store --seed --html --svg --png --json --quiet --help" -- "$word"));;
    "study affinity") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--sets --threads --runtime --provider --device --preset --preflight --store --seed --html --svg --png --json --quiet --help" -- "$word"));;
    sweep) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --dry-run --store --executor --detach --device --most --retry --json --quiet --help" -- "$word"));;
    "store list") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --limit --json --quiet --help" -- "$word"));;
    "store show") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --json --quiet --help" -- "$word"));;
    "store export") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --format --output --redact --figures-only --session --model --variant --runtime --json --quiet --help" -- "$word"));;
    "store import") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --format --by --model --device --dry-run --json --quiet --help" -- "$word"));;
    "store copy") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "store migrate") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --json --quiet --help" -- "$word"));;
    devices) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "devices probe") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "devices release") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "devices clean") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "devices pair") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "devices connect") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--disconnect --json --quiet --help" -- "$word"));;
    bundle) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--device --runtime --cpu --output --own-libc --dry-run --json --quiet --help" -- "$word"));;
    "tools list") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "tools add") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--kind --json --quiet --help" -- "$word"));;
    "tools remove") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "phone table") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--device --threads --preset --store --providers --recipes --output --tool --app --cores --cool-down --tool-flag --json --quiet --help" -- "$word"));;
    "power list") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    "power record") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--meter --output --seconds --trigger --plot --json --quiet --help" -- "$word"));;
    "power show") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--volts --from --to --trigger --output --plot --json --quiet --help" -- "$word"));;
    "power join") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--volts --start --start-error --gain --output --store --co2 --json --quiet --help" -- "$word"));;
    "power selftest") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--trials --seed --json --quiet --help" -- "$word"));;
    verify) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--input --data --preprocess --limit --seed --samples --no-adversarial --tolerance --min-snr --bisect --html --runtime --provider --threads --device --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    diff) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--canonical --limit --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    recipe) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    sensitivity) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--recipe --skip --keep-float --calibration --representative --preprocess --labels --data --label-names --limit --samples --top --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    rate) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --task --scale --gate --session --model --properties --method --index --mode --reference --weights --boundaries --save-boundaries --save-scale --freeze --json --quiet --help" -- "$word"));;
    label) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --store --variant --task --scale --gate --weights --boundaries --url --width --json --quiet --help" -- "$word"));;
    report) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --format --store --session --all --co2 --json --quiet --help" -- "$word"));;
    figures) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --format --store --session --all --json --quiet --help" -- "$word"));;
    doctor) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
    edgetpu) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--compile --output --min-runtime --all-subgraphs --search --timeout --against --log --json --quiet --help" -- "$word"));;
    cache) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--runtimes --json --quiet --help" -- "$word"));;
    train) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--data --output --labels --label-names --test --validation --augment --epochs --batch --learning-rate --patience --class-weights --seed --threads --cache --skip-broken --tensorboard --no-latency --restart --preprocess --freeze --last --recipes --tune-epochs --shape --value --signature --input-nodes --output-nodes --json --quiet --help" -- "$word"));;
    "train fire-detection") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--data --output --labels --label-names --test --validation --augment --epochs --batch --learning-rate --patience --class-weights --seed --threads --cache --skip-broken --tensorboard --no-latency --restart --preset --size --variants --json --quiet --help" -- "$word"));;
    "data fire-scenes") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --images --fire-part --size --seed --json --quiet --help" -- "$word"));;
    detect) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--series --columns --labels --ignored --delimiter --gaps --statistics --detector --threshold --sample --seed --plot --scores --follow --idle --runtime --provider --threads --device --shape --json --quiet --help" -- "$word"));;
    "data mackey-glass") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --base --seed --series --length --anomalies --noise --noise-range --min-distance --min-cut --search --derivatives --anomaly-window --ignored --tau --exponent --beta --gamma --history --step --base-length --save-base --lyapunov --force --json --quiet --help" -- "$word"));;
    "train tcn-autoencoder") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--series --output --preset --seed --steps --epochs --batch --window --rate --patience --scaling --dilations --filters --kernel --stacks --dropout --bottleneck --latent-rate --pooling --causal --length --integer-steps --restart --threads --columns --labels --ignored --delimiter --gaps --json --quiet --help" -- "$word"));;
    "zoo list") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--family --task --source --json --quiet --help" -- "$word"));;
    "zoo show") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--seed --size --classes --alpha --no-top --layers --yaml --json --quiet --help" -- "$word"));;
    "zoo build") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --seed --size --classes --alpha --no-top --weights --partial --threads --all --format --force --family --task --source --json --quiet --help" -- "$word"));;
    "zoo check") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --recipe --most --markdown --force --threads --family --task --source --json --quiet --help" -- "$word"));;
    "zoo fetch") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--list --output --table --confirm --json --quiet --help" -- "$word"));;
    evaluate) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--data --against --device --runtime --provider --threads --preprocess --head --label-offset --coco-classes --vocabulary --cased --limit --workers --executor --store --results --min-accuracy --json --quiet --help" -- "$word"));;
    "data prepare") [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--output --labels --label-names --regions --split --limit --seed --selection --skip-broken --for --preprocess --threads --json --quiet --help" -- "$word"));;
    serve) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --table --properties --settings --port --address --token --models --read-only --upload-limit --json --quiet --help" -- "$word"));;
    export-site) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--store --table --properties --settings --json --quiet --help" -- "$word"));;
    completions) [[ "$word" == -* ]] && COMPREPLY=($(compgen -W "--json --quiet --help" -- "$word"));;
  esac
}
complete -o default -F _assay assay
