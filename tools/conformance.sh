#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The conformance suite of Gateway API against the program $1; the rest are flags of the suite.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "$1"); shift
command -v go >/dev/null || { echo "conformance: needs go 1.26 on PATH"; exit 1; }
out=$PWD/build/conformance
mkdir -p "$out"
module=tests/conformance

# The suite's workload listens on the wildcard. Here all pods share one network, each with an address of its own, so it is
# built to listen on $POD_IP.
source=$out/source
rm -rf "$source"
cp -r --no-preserve=mode "$(go -C $module list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api/conformance)" "$source"
sed -i -e 's|fmt.Sprintf(":%s", |fmt.Sprintf(os.Getenv("POD_IP")+":%s", |' \
  -e 's|fmt.Sprintf("0.0.0.0:%d", |fmt.Sprintf(os.Getenv("POD_IP")+":%d", |' \
  -e 's|"udp", ":"+port|"udp", os.Getenv("POD_IP")+":"+port|' \
  "$source"/echo-basic/{echo-basic.go,grpc/grpc.go,tcpserver/tcpserver.go,udpechoserver/udpechoserver.go}
cp $module/go.mod "$out/go.mod"
cp $module/go.sum "$out/go.sum"
go mod edit -replace "sigs.k8s.io/gateway-api/conformance=$source" "$out/go.mod"
go -C $module build -modfile "$out/go.mod" -o "$out/echo-basic" sigs.k8s.io/gateway-api/conformance/echo-basic

# Pods have no volumes here. The test writes the suite's Secrets and CA certificates into files, and the workload waits for the one that its
# volume would hold.
rm -rf "$out/secrets"
mkdir "$out/secrets"
cat >"$out/echo" <<END
#!/bin/sh
if [ -n "\$TLS_SERVER_CERT" ]; then
  secret=tls-checks-certificate
  case \$POD_NAME.\$NAMESPACE in tcp-backend-* | *-app-backend) secret=tls-passthrough-checks-certificate ;; esac
  files=$out/secrets/\$NAMESPACE/\$secret
  until [ -e "\$files/tls.key" ]; do sleep 0.1; done
  export TLS_SERVER_CERT="\$files/tls.crt"
  [ -z "\$TLS_SERVER_PRIVKEY" ] || export TLS_SERVER_PRIVKEY="\$files/tls.key"
  if [ -n "\$TLS_CLIENT_CACERTS" ]; then
    export TLS_CLIENT_CACERTS="$out/secrets/\$NAMESPACE/tls-checks-ca-certificate/ca.crt"
    until [ -e "\$TLS_CLIENT_CACERTS" ]; do sleep 0.1; done
  fi
  [ -z "\$TLS_SERVER_PRIV_KEY" ] || export TLS_SERVER_PRIV_KEY="\$files/tls.key"
fi
exec $out/echo-basic "\$@"
END
chmod +x "$out/echo"
go -C $module build -o "$out/coredns" ./dns

go -C $module test -c -o "$out/conformance.test" .
cd "$out"
status=0
TIDEGATE_BINARY=$binary TIDEGATE_IMAGES=$out TIDEGATE_LOG=$out/tidegate.log \
  ./conformance.test -test.run TestConformance -test.count=1 -test.timeout 30m -test.v "$@" >"$out/suite.log" 2>&1 || status=$?
grep -aE '^ *--- FAIL' "$out/suite.log" || true
count() { grep -acE "^    --- $1" "$out/suite.log" || true; }
echo "conformance: $(count PASS) passed, $(count FAIL) failed, $(count SKIP) skipped; see build/conformance/suite.log"
exit $status
