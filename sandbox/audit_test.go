package main

import (
	"testing"

	"k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

func TestAuditPolicyKeepsEverybodyButTheParts(t *testing.T) {
	p, err := policy.LoadPolicyFromBytes(auditPolicy(auditLevels["full"]))
	if err != nil {
		t.Fatal(err)
	}
	evaluator := policy.NewPolicyRuleEvaluator(p)
	controllers := user.DefaultInfo{
		Name:   "system:serviceaccount:kube-system:replication-controller",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:kube-system"},
	}
	tenant := user.DefaultInfo{
		Name:   "system:serviceaccount:acme:deployer",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:acme"},
	}
	for _, test := range []struct {
		user user.DefaultInfo
		want audit.Level
	}{
		{user.DefaultInfo{Name: "sandbox-admin", Groups: []string{"system:masters"}}, audit.LevelRequestResponse},
		{user.DefaultInfo{Name: "jane"}, audit.LevelRequestResponse},
		{user.DefaultInfo{Name: "system:anonymous", Groups: []string{"system:unauthenticated"}}, audit.LevelRequestResponse},
		{tenant, audit.LevelRequestResponse},
		{controllers, audit.LevelNone},
		{user.DefaultInfo{Name: "system:kube-scheduler"}, audit.LevelNone},
		{user.DefaultInfo{Name: ownUser, Groups: []string{"system:masters"}}, audit.LevelNone},
	} {
		attributes := authorizer.AttributesRecord{
			User: &test.user, Verb: "get", Resource: "pods", APIVersion: "v1", ResourceRequest: true,
		}
		if got := evaluator.EvaluatePolicyRule(&attributes).Level; got != test.want {
			t.Errorf("level of %s is %s, want %s", test.user.Name, got, test.want)
		}
	}
}
