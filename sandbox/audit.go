package main

import (
	"fmt"
	"strings"
)

// auditPolicy is the API server's audit policy: requests of the control plane's own parts are left out, every
// other one is recorded at the given level, once, when it is answered.
//
// The parts are listed by name, and not as "everybody in system:*", so that a service account that a test makes is
// recorded. Only those of kube-system, under which the controllers run, are left out with their parts.
func auditPolicy(level string) []byte {
	return fmt.Appendf(nil, `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [%s]
- level: None
  userGroups: ["system:serviceaccounts:kube-system"]
- level: %s
`, strings.Join([]string{
		`"system:apiserver"`, `"system:kube-controller-manager"`, `"system:kube-scheduler"`, `"` + ownUser + `"`,
	}, ", "), level)
}

// auditLevels are the words of the flag -audit, and what the API server calls them.
var auditLevels = map[string]string{"none": "None", "metadata": "Metadata", "full": "RequestResponse"}
