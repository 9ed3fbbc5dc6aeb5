/**
 * The first process of a container: builds its root file system and starts the program in it. A fixed text, run by `sh` with
 * positional arguments only; no input is ever part of it.
 *
 * The words after `--` are those of `enterWords`. The new root is moved over `/` and entered by chroot, so that no path leads back.
 */
export const INIT_SCRIPT = `set -eu
fail() { echo "sluice: $*" >&2; exit 128; }
root=$1 lowers=$2 upper=$3 work=$4 readonly=$5 tools=$6 cgroups=$7 score=$8 processes=$9
shift 9
old=$IFS; IFS=:
for group in $cgroups; do echo 0 > "$group/cgroup.procs" || echo "sluice: no limits: cannot enter $group" >&2; done
IFS=$old
# nobody may lower it again without CAP_SYS_RESOURCE
[ "$score" = 0 ] || echo "$score" > /proc/self/oom_score_adj
if [ -n "$lowers" ]; then
  mount -n -t overlay overlay -o "lowerdir=$lowers,upperdir=$upper,workdir=$work,userxattr" "$root" || fail "cannot mount the image"
else
  mount -n --bind "$root" "$root" || fail "cannot mount the image"
fi
for name in proc dev sys etc .sluice; do [ ! -L "$root/$name" ] || fail "/$name of the image is a symlink"; done
cd "$root"
mkdir -p proc dev sys etc .sluice
mount -n -t proc -o nosuid,nodev,noexec proc proc || fail "cannot mount /proc"
[ -z "$processes" ] || echo "$processes" > proc/sys/kernel/pid_max || fail "cannot limit the number of processes"
mount -n -t sysfs -o ro,nosuid,nodev,noexec sysfs sys 2>/dev/null || :
if [ -n "$cgroups" ] && [ -d sys/fs/cgroup ]; then
  # programs ask their own group what they may use
  case $cgroups in
  *:*)
    mount -n -t tmpfs -o nosuid,nodev,noexec,mode=755,size=64k tmpfs sys/fs/cgroup || cgroups=
    IFS=:
    for group in $cgroups; do
      name=\${group#/sys/fs/cgroup/}; name=sys/fs/cgroup/\${name%%/*}
      mkdir "$name"
      mount -n --bind "$group" "$name" && mount -n -o remount,bind,ro,nosuid,nodev,noexec "$name" || :
    done
    IFS=$old
    ;;
  *) mount -n --bind "$cgroups" sys/fs/cgroup && mount -n -o remount,bind,ro,nosuid,nodev,noexec sys/fs/cgroup || : ;;
  esac
fi
mount -n -t tmpfs -o nosuid,mode=755,size=65536k tmpfs dev || fail "cannot mount /dev"
for name in null zero full random urandom tty; do
  [ -e /dev/$name ] || continue
  : > dev/$name
  mount -n --bind /dev/$name dev/$name || fail "cannot show /dev/$name"
done
mkdir dev/pts dev/shm dev/mqueue
mount -n -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts dev/pts 2>/dev/null || :
mount -n -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=65536k tmpfs dev/shm
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
ro() {
  mount -n -o remount,bind,ro "$1" 2>/dev/null || mount -n -o remount,bind,ro,nosuid,nodev "$1" 2>/dev/null ||
  mount -n -o remount,bind,ro,nosuid,nodev,noexec "$1" 2>/dev/null || fail "cannot make $1 read-only"
}
for name in kcore keys timer_list sysrq-trigger latency_stats; do
  [ ! -e proc/$name ] || mount -n --bind /dev/null proc/$name
done
for name in sys bus fs irq; do
  [ -d proc/$name ] || continue
  mount -n --bind proc/$name proc/$name
  ro proc/$name
done
mount -n --bind "$tools" .sluice
ro .sluice
held() { [ "$(readlink "/proc/self/fd/$1")" = "$2" ] || fail "$2 became a link while it was mounted"; }
# each step is entered and looked at before the next is made: a link on the way leads nowhere
make_folder() {
  at=$root
  set -f
  IFS=/
  for part in $1; do
    [ -n "$part" ] || continue
    mkdir -- "$part" 2>/dev/null || :
    at=$at/$part
    cd -P -- "$part" 2>/dev/null && [ "$(pwd -P)" = "$at" ] || return 0
  done
}
while [ "$1" != -- ]; do
  source=$1 target=$root$2 mode=$3
  shift 3
  [ "$mode" != new ] || { (make_folder "\${target#"$root"}"); continue; }
  [ "$(realpath -m "$target")" = "$target" ] || fail "the mount path \${target#"$root"} goes through a symlink"
  if [ -d "$source" ]; then mkdir -p "$target"
  else
    mkdir -p "\${target%/*}"
    [ -e "$target" ] || (set -C; : > "$target") || fail "cannot make \${target#"$root"}"
  fi
  # both are held open and looked at: another container may write to the volumes, and put a link in the place of a folder meanwhile
  from=$source
  if [ -d "$source" ] || [ -f "$source" ]; then
    command exec 7< "$source" || fail "cannot open what is mounted at \${target#"$root"}"
    held 7 "$source"
    from=/proc/self/fd/7
  fi
  command exec 6< "$target" || fail "cannot open \${target#"$root"}"
  held 6 "$target"
  # what has mounts of the machine below it is shown with them or not at all; they would not be read-only
  mount -n -c --bind "$from" /proc/self/fd/6 2>/dev/null ||
  { [ "$mode" = rw ] && mount -n -c --rbind "$from" /proc/self/fd/6; } || fail "cannot mount \${target#"$root"}"
  exec 6<&- 7<&-
  [ "$from" != "$source" ] || { [ ! -d "$target" ] && [ ! -f "$target" ]; } || fail "\${target#"$root"} is not what it was"
  [ "$mode" != ro ] || ro "$target"
done
shift
if [ "$readonly" = yes ]; then ro "$root"; fi
mount -n --move "$root" / || fail "cannot enter the image"
# a shell without job control would give a program in the background no input
exec 8<&0
"$@" <&8 8<&- &
exec 8<&-
set +e
wait $!
exit $?
`

/**
 * What a first process does that is to stay: it waits for all that lose their parent, and for a program that does nothing. Who may signal the
 * latter ends nothing by it; where it cannot run, the first process ends, instead of trying without end.
 *
 * It runs in the foreground: in the background a shell gives it /dev/null, which the folder that it is shown does not have.
 */
export const reap = (idle: string): string => `until ${idle} || [ $? -le 128 ]; do :; done`

/**
 * Holds the namespaces of a pod, by its hostname and, where its containers see the processes of each other, as the first of them: it shows nothing
 * of the machine but a read-only folder with itself. It keeps its powers: who has fewer may not look into it.
 */
export const HOLD_SCRIPT = `hostname "$1" 2> /dev/null
[ -n "$2" ] || exec sleep infinity
set -e
mount -n --bind "$2" "$2"
mount -n -o remount,bind,ro "$2" 2> /dev/null || mount -n -o remount,bind,ro,nosuid,nodev "$2"
exec nsenter --root="$2" --wd="$2" -- /ld --library-path / /sh -c '${reap('/ld --library-path / /sleep infinity')}'
`

/**
 * Runs one more program inside a container: same root, same namespaces, same privileges, same limits. The container is found by the process
 * ids of its program and of its first process, which still stands in the root that it made: a program may have chosen another one for itself.
 *
 * The words after the ids and the control groups are those of `enterWords`.
 */
export const EXEC_SCRIPT = `set -eu
pid=$1 first=$2 cgroups=$3
shift 3
old=$IFS; IFS=:
for group in $cgroups; do echo 0 > "$group/cgroup.procs" || :; done
IFS=$old
exec 9< "/proc/$first/cwd"
exec nsenter -t "$pid" -n -i -u -p -- "$@"
`

/**
 * Runs the words that stand in variables, as `script` hands a shell one text only and no input may be part of that.
 * The terminal is given to the user who will use it.
 */
export const ENTER_SCRIPT = `set -eu
[ -z "$SLUICE_OWNER" ] || chown "$SLUICE_OWNER" "$(tty)" || :
index=0
while [ "$index" -lt "$SLUICE_WORDS" ]; do
  eval "set -- \\"\\$@\\" \\"\\$SLUICE_WORD_$index\\""
  index=$((index + 1))
done
exec "$@"
`
