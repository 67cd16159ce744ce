#!/bin/sh
# Slurm on this machine alone, for tests: makes it in a new folder, prints `ready CONF`, and ends it when its
# standard input ends. Prints `none REASON` where it cannot be started. One board, so that jobs that ask for it
# wait for each other. Touches nothing outside its folder.
set -u
PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd sbatch squeue sinfo; do
  command -v "$program" >/dev/null || { echo "none $program is not installed (Debian: slurmctld slurmd slurm-client munge)"; exit 0; }
done
lab=$(mktemp -d "${TMPDIR:-/tmp}/assay-slurm-XXXXXX") || { echo "none no temporary folder"; exit 0; }
# munged wants every folder above its socket to be another's to write in no way, or sticky.
chmod 755 "$lab"
mkdir -p "$lab/control" "$lab/node"
dd if=/dev/urandom of="$lab/key" bs=1024 count=1 2>/dev/null
chmod 400 "$lab/key"
host=$(hostname -s)
user=$(id -un)
ports=$((20000 + $$ % 20000))
cat >"$lab/slurm.conf" <<TEXT
ClusterName=assay
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$lab/munge.socket
SlurmUser=$user
SlurmdUser=$user
StateSaveLocation=$lab/control
SlurmdSpoolDir=$lab/node
SlurmctldPidFile=$lab/slurmctld.pid
SlurmdPidFile=$lab/slurmd.pid
SlurmctldLogFile=$lab/slurmctld.log
SlurmdLogFile=$lab/slurmd.log
SlurmctldPort=$ports
SlurmdPort=$((ports + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=100000,bf_interval=1,batch_sched_delay=0
GresTypes=board
MailProg=/bin/true
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) Boards=1 SocketsPerBoard=1 CoresPerSocket=$(nproc) ThreadsPerCore=1 RealMemory=1000 Gres=board:1 State=UNKNOWN
PartitionName=lab Nodes=$host Default=YES MaxTime=INFINITE State=UP
TEXT
echo "NodeName=$host Name=board Count=1" >"$lab/gres.conf"
export SLURM_CONF="$lab/slurm.conf"
munged --force --foreground --key-file="$lab/key" --socket="$lab/munge.socket" --pid-file="$lab/munged.pid" \
  --seed-file="$lab/seed" --log-file="$lab/munged.log" >/dev/null 2>&1 </dev/null &
munge=$!
slurmctld -D -f "$SLURM_CONF" -c >/dev/null 2>&1 </dev/null &
control=$!
slurmd -D -f "$SLURM_CONF" >/dev/null 2>&1 </dev/null &
node=$!
tries=0
until sinfo -h -o %t 2>/dev/null | grep -q idle; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ]; then
    echo "none Slurm does not come up: $(tail -q -n 1 "$lab"/*.log 2>/dev/null | tr '\n' ' ')"
    break
  fi
  # A daemon that came before its fellow gives up: start it again.
  kill -0 "$control" 2>/dev/null || { slurmctld -D -f "$SLURM_CONF" -c >/dev/null 2>&1 </dev/null & control=$!; }
  kill -0 "$node" 2>/dev/null || { slurmd -D -f "$SLURM_CONF" >/dev/null 2>&1 </dev/null & node=$!; }
  sleep 0.5
done
[ "$tries" -gt 60 ] || echo "ready $SLURM_CONF"
cat >/dev/null
kill "$node" "$control" "$munge" 2>/dev/null
wait 2>/dev/null
rm -rf "$lab"
