package config

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/spectest"
)

func TestSettings(t *testing.T) {
	for name, text := range map[string]string{"main.kplan.hcl": spectest.SettingsNative, "main.kplan.json": spectest.SettingsJSON} {
		t.Run(name, func(t *testing.T) {
			dir := spectest.WriteFiles(t, map[string]string{name: text, "ca.pem": "PEM"})
			config, diags := Load(context.Background(), dir)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			values, diags := config.ReadVariables(Inputs{Partial: true})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			cluster, diags := config.Cluster(values)
			if len(diags) > 0 {
				t.Error(diags)
			}
			want := &Cluster{
				Host: "https://prod-eu.example.com", Token: "hunter2", ClientCertificate: "PEM", ClientKey: "key",
				ClusterCACertificate: "PEM", TLSServerName: "name", ImpersonateUser: "system:serviceaccount:acme:kplan",
				ImpersonateGroups: []string{"eu", "x"}, RequestTimeout: 30 * time.Second,
			}
			if diff := cmp.Diff(want, cluster, cmpopts.IgnoreTypes(hcl.Range{})); diff != "" {
				t.Error(diff)
			}
			backend, diags := config.Backend(values, nil)
			if len(diags) > 0 || backend.Type != "local" || backend.Path != filepath.Join(dir, "states/prod-eu.json") {
				t.Errorf("%+v, %v", backend, diags)
			}
		})
	}
}

func TestSettingsOfKubeconfigAndProgram(t *testing.T) {
	config := loadText(t, "main.kplan.hcl", `
kplan {
  cluster {
    config_path = "kubeconfig"
    context     = "prod"
    exec {
      api_version = "client.authentication.k8s.io/v1"
      command     = "login"
      args        = ["--region", "eu"]
      env         = { A = "b", N = 1 }
    }
  }
}`)
	cluster, diags := config.Cluster(Values{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	want := &Cluster{
		ConfigPath: filepath.Join(config.Dir, "kubeconfig"), Context: "prod",
		Exec: &Exec{
			APIVersion: "client.authentication.k8s.io/v1", Command: "login",
			Args: []string{"--region", "eu"}, Env: map[string]string{"A": "b", "N": "1"},
		},
	}
	if diff := cmp.Diff(want, cluster, cmpopts.IgnoreTypes(hcl.Range{})); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsAbsent(t *testing.T) {
	config := loadText(t, "main.kplan.hcl", `kplan {}`)
	cluster, diags := config.Cluster(Values{})
	if diff := cmp.Diff(&Cluster{}, cluster); diff != "" || len(diags) > 0 {
		t.Error(diff, diags)
	}
	backend, diags := config.Backend(Values{}, nil)
	if backend.Type != "local" || backend.Path != filepath.Join(config.Dir, "kplan.state.json") || len(diags) > 0 {
		t.Errorf("%+v, %v", backend, diags)
	}
}

func TestConfigPathStartsAtTheConfiguration(t *testing.T) {
	for given, want := range map[string]string{
		"kubeconfig": "deploy/kubeconfig", "./x/../kubeconfig": "deploy/kubeconfig", "/etc/kubeconfig": "/etc/kubeconfig",
		"~/.kube/config": "~/.kube/config",
	} {
		t.Chdir(spectest.WriteFiles(t, map[string]string{"deploy/main.kplan.hcl": `
kplan {
  cluster { config_path = "` + given + `" }
}`}))
		config, diags := Load(context.Background(), "deploy")
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		if cluster, diags := config.Cluster(Values{}); cluster.ConfigPath != want || len(diags) > 0 {
			t.Errorf("%s is %s, %v", given, cluster.ConfigPath, diags)
		}
	}
}

// TestVersionOfABuildWithoutOne: what can't be known is a warning.
func TestVersionOfABuildWithoutOne(t *testing.T) {
	c := &Config{}
	c.Settings.RequiredVersion = ">= 99"
	if diags := c.CheckVersion("dev"); len(diags) != 1 || diags[0].Severity != hcl.DiagWarning {
		t.Errorf("dev: %v", diags)
	}
	if diags := c.CheckVersion("1.0.0"); !diags.HasErrors() {
		t.Error("1.0.0 is accepted")
	}
	if diags := c.CheckVersion("99.1.0"); len(diags) != 0 {
		t.Errorf("99.1.0: %v", diags)
	}
}
