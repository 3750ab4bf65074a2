# What systemd does for tollgate.service, by hand, in a mount and a network namespace of
# its own: the paths, ports and modes are those of the unit. unit_run_test.go wrote what
# stands in $T, and reads what is printed.
set -eu
say() { echo "== $*"; }
mount --make-rprivate /
ip link set lo up
mount -t tmpfs tmpfs /run
cp -a "$T/run/." /run/
mount --bind "$T/etc" /etc
mount --bind "$T/lib" /var/lib
mount -t overlay -o "lowerdir=$T/bin:/usr/bin" overlay /usr/bin
mkdir "$T/lib/redis"
mount --bind /var/lib/redis /var/lib/redis
redis-server /etc/redis/redis.conf > /run/redis.log 2>&1 &
redis=$!
# With TERM it would try to save where by then nothing can be written, and go on.
trap 'kill -9 $redis || cat /run/redis.log' EXIT
for i in $(seq 100); do REDISCLI_AUTH=$OPERATOR redis-cli --user operator ping 2>/dev/null | grep -q PONG && break; sleep 0.2; done

# StateDirectory, ProtectSystem=strict, PrivateTmp, UMask.
install -d -m 0700 -o tollgate -g tollgate "$T/lib/tollgate"
mount --bind /var/lib/tollgate /var/lib/tollgate
for place in / /etc /usr/bin; do mount -o remount,bind,ro "$place"; done
mount -o remount,bind,ro /var/lib
mount -o remount,bind,rw /var/lib/tollgate
mount -t tmpfs -o mode=1777 tmpfs /tmp
umask 0077
# User, Group, NoNewPrivileges, CapabilityBoundingSet, Environment.
cat > /run/as-service <<'EOF'
exec setpriv --reuid=tollgate --regid=tollgate --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  /usr/bin/env -i PATH=/usr/bin:/bin $(cat /run/environment) "$@"
EOF
as() { sh /run/as-service "$@"; }

# A fault of the settings: RestartPreventExitStatus knows it by its code.
status=0; as TOLLGATE_LOG_LEVEL=loud $START >/dev/null 2>&1 || status=$?
say "faulty $status"
sh /run/as-service $START > /run/log 2>&1 &
main=$!
ready=no
for i in $(seq 200); do as /usr/bin/tollgate healthcheck >/dev/null 2>&1 && ready=yes && break; kill -0 $main || break; sleep 0.2; done
say "ready $ready"
[ $ready = yes ] || { cat /run/log; exit 1; }
say "privileges"; grep -E '^(Uid|Gid|Groups|CapEff|CapBnd|NoNewPrivs|Umask)' /proc/$main/status | tr '\t' ' '
export TOLLGATE_ADMIN_TOKEN_FILE=/etc/tollgate/secrets/admin-token
echo "correct horse battery staple" | tollgate users add ada --password-stdin --id 1
say "log-in $(curl -s -o /run/pair -w '%{http_code}' -d 'username=ada&password=correct horse battery staple' http://127.0.0.1:8080/api/token/)"
tollgate revoke subject 1 --yes
for file in /etc/tollgate/x /usr/bin/x /var/lib/x /run/x /x /var/lib/tollgate/x /tmp/x; do
  if as touch $file 2>/dev/null; then say "writes $file"; fi
done
for file in /etc/tollgate/tollgate.env /etc/tollgate/routes.yaml /etc/tollgate/secrets/admin-token /run/credentials/tollgate.service/admin-token; do
  if as cat $file >/dev/null 2>&1; then say "reads $file"; fi
done
say "state $(stat -c '%U %a' /var/lib/tollgate/revocations.journal)"
kill -HUP $main
for i in $(seq 100); do grep -q 'configuration was reloaded' /run/log && break; sleep 0.2; done
kill -TERM $main
status=0; wait $main || status=$?
say "ended $status"
# What Go says when it gives up must not look like a fault of the settings, which is 2.
sh /run/as-service $START > /run/dump 2>&1 &
main=$!
for i in $(seq 200); do as /usr/bin/tollgate healthcheck >/dev/null 2>&1 && break; kill -0 $main || break; sleep 0.2; done
kill -QUIT $main
status=0; wait $main || status=$?
say "dumped $status"
cat /run/log
