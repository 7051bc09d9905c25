// SPDX-License-Identifier: Apache-2.0

// The conformance suite of Gateway API, as its project publishes it, against `tidegate up`: real objects in the embedded API
// server, real connections to the addresses of Gateways. The features that run are those that the GatewayClass claims.
//
// TIDEGATE_BINARY is the program under test; TIDEGATE_IMAGES a folder of programs that
// stand for the suite's images (tools/conformance.sh makes them). The
// suite's own flags work, such as -run-test=HTTPRouteWeight.
package conformance

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
)

// Networks of this run alone: other worlds of this machine have theirs.
var (
	gatewayNet = fmt.Sprintf("127.%d", 100+os.Getpid()%70)
	podNet     = fmt.Sprintf("127.%d", 170+os.Getpid()%70)
)

const gatewayClass = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: gateway-conformance
spec:
  controllerName: tidegate.dev/gateway-controller
`

// Starts `tidegate up` for the time of the test and points $KUBECONFIG at it.
func startWorld(t *testing.T) {
	dir := t.TempDir()
	manifest := filepath.Join(dir, "class.yaml")
	require.NoError(t, os.WriteFile(manifest, []byte(gatewayClass), 0o600))
	images := os.Getenv("TIDEGATE_IMAGES")
	up := exec.Command(os.Getenv("TIDEGATE_BINARY"), "up", "-f", manifest, "--data-dir", filepath.Join(dir, "data"),
		"--api", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--gateway-pool", gatewayNet+".0.0/16",
		"--pod-pool", podNet+".0.0/16",
		"--image", "registry.k8s.io/gateway-api/echo-basic="+filepath.Join(images, "echo"),
		"--image", "registry.k8s.io/coredns/coredns="+filepath.Join(images, "coredns"))
	up.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(os.Getenv("TIDEGATE_LOG"))
	require.NoError(t, err)
	up.Stderr = log
	out, err := up.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, up.Start())
	t.Cleanup(func() {
		_ = up.Process.Signal(syscall.SIGTERM)
		_ = up.Wait()
	})

	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.TrimSpace(lines.Text()) == "ready" {
				ready <- true
			}
		}
		ready <- false
	}()
	select {
	case is := <-ready:
		require.True(t, is, "tidegate up ended; see its standard error in %s", log.Name())
	case <-time.After(time.Minute):
		require.Fail(t, "tidegate up is not ready", "see its standard error in %s", log.Name())
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "data", "kubeconfig"))
}

// Writes the parts into folder, the last one last: where it is, all are.
func keepParts(folder string, names []string, data func(name string) []byte) {
	_ = os.MkdirAll(folder, 0o700)
	part := filepath.Join(folder, "part")
	for _, name := range names {
		if len(data(name)) > 0 && os.WriteFile(part, data(name), 0o600) == nil {
			_ = os.Rename(part, filepath.Join(folder, name))
		}
	}
}

// Keeps the world's TLS Secrets and CA certificates in files, for the workloads whose volumes would hold them:
// folder/NAMESPACE/NAME/tls.crt.
func keepSecrets(t *testing.T, from client.Client, folder string) {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(200 * time.Millisecond):
			}
			var secrets corev1.SecretList
			if err := from.List(t.Context(), &secrets); err != nil {
				continue
			}
			for _, secret := range secrets.Items {
				keepParts(filepath.Join(folder, secret.Namespace, secret.Name), []string{"tls.crt", "tls.key"},
					func(name string) []byte { return secret.Data[name] })
			}
			var maps corev1.ConfigMapList
			if err := from.List(t.Context(), &maps); err != nil {
				continue
			}
			for _, each := range maps.Items {
				keepParts(filepath.Join(folder, each.Namespace, each.Name), []string{"ca.crt"},
					func(name string) []byte { return []byte(each.Data[name]) })
			}
		}
	}()
}

func address(value string) gatewayv1.GatewaySpecAddress {
	kind := gatewayv1.IPAddressType
	return gatewayv1.GatewaySpecAddress{Type: &kind, Value: value}
}

func TestConformance(t *testing.T) {
	if os.Getenv("TIDEGATE_BINARY") == "" {
		t.Skip("TIDEGATE_BINARY is not set; make conformance does")
	}
	startWorld(t)
	opts := conformance.DefaultOptions(t)
	// The API server speaks JSON alone.
	opts.RestConfig.ContentType = "application/json"
	jsonClient, err := client.New(opts.RestConfig, client.Options{Scheme: opts.Client.Scheme()})
	require.NoError(t, err)
	opts.Client = jsonClient
	keepSecrets(t, jsonClient, filepath.Join(os.Getenv("TIDEGATE_IMAGES"), "secrets"))
	// One that the pool has, and one of documentation (RFC 5737), which no machine has.
	opts.UsableNetworkAddresses = []gatewayv1.GatewaySpecAddress{address(gatewayNet + ".255.254")}
	opts.UnusableNetworkAddresses = []gatewayv1.GatewaySpecAddress{address("192.0.2.1")}
	conformance.RunConformanceWithOptions(t, opts)
}
