package main

// What the hands of those who come from other tools type, and what does here
// what they want.

// commandsElsewhere are commands of Terraform, kubectl and Helm.
var commandsElsewhere = map[string]string{
	"init":      "There is nothing to initialise: no providers are installed, and the backend block alone says where the state is. Begin with: kplan plan",
	"import":    "To take over an object that exists, write an import block, or: kplan apply -adopt=ADDRESS",
	"taint":     "To have an object made anew: kplan apply -replace=ADDRESS",
	"untaint":   "Nothing is ever tainted: what is to be made anew is named when it is planned, with -replace=ADDRESS.",
	"refresh":   "Every plan looks at the cluster. To take over into the state what was changed outside: kplan apply -refresh-only",
	"workspace": "A state of its own takes the place of a workspace: kplan plan -state=NAME.kplan.state.json",
	"providers": "There are no providers: kplan speaks with the API server itself.",
	"console":   "There is no console. To see what an expression comes to, make it an output: kplan plan -offline",
	"get":       "There are no modules yet. To look at an object in the cluster: kubectl get",
	"login":     "kplan connects by the kubeconfig, as kubectl does: see the options -kubeconfig and -context of kplan plan.",
	"logout":    "kplan keeps no credentials: those of the kubeconfig are used.",
	"metadata":  "There is no such command; what the language knows of the kinds is checked by: kplan validate",
	"modules":   "There are no modules yet.",
	"test":      "There are no tests in the language yet. To check a configuration without a cluster: kplan validate",
	"diff":      "What would change is shown by: kplan plan",
	"preview":   "What would change is shown by: kplan plan",
	"template":  "What would be made is shown, without a cluster, by: kplan plan -offline",
	"delete":    "To delete everything: kplan destroy. To delete one object: take its block away, then kplan apply",
	"rm":        "To delete an object take its block away, then kplan apply. To forget it without deleting it: kplan state rm ADDRESS",
	"create":    "To make what the configuration declares: kplan apply",
	"install":   "To make what the configuration declares: kplan apply",
	"upgrade":   "To change what the configuration declares: kplan apply",
	"up":        "To make what the configuration declares: kplan apply",
	"down":      "To delete everything: kplan destroy",
	"unlock":    "To break the state's lock: kplan force-unlock LOCK_ID",
}

// flagsElsewhere are flags of theirs.
var flagsElsewhere = map[string]string{
	"refresh":                "A plan always looks at the cluster, with one request per kind. To ask no cluster at all: kplan plan -offline",
	"upgrade":                "There are no providers or modules to upgrade.",
	"backend-config":         "The backend block says where the state is, and variables may stand in it; or give -state=PATH.",
	"backend":                "The backend block says where the state is, and variables may stand in it; or give -state=PATH.",
	"reconfigure":            "There is nothing to configure anew: the backend block is read each time.",
	"migrate-state":          "To move a state: kplan state pull > FILE at the old place, kplan state push FILE at the new one.",
	"state-out":              "The state is written to where it was read: -state=PATH.",
	"backup":                 "The last state is kept beside the state by itself.",
	"lock":                   "What changes the state always locks it; -lock-timeout=DURATION waits for the lock.",
	"show-sensitive":         "Sensitive values are kept nowhere, so they can't be shown.",
	"consolidate-errors":     "Each error is shown at its place.",
	"deprecation":            "There are no modules, whose deprecations it would choose from. What the API server calls deprecated comes as a warning.",
	"suppress-forget-errors": "To forget an object is no error: a plan that says so ends with exit code 0.",
	"generate-config-out":    "kplan writes no configuration; an import block takes over what a resource block describes.",
	"force":                  "To be asked nothing: -auto-approve",
	"yes":                    "To be asked nothing: -auto-approve",
	"y":                      "To be asked nothing: -auto-approve",
	"dry-run":                "What would change is shown by: kplan plan",
	"f":                      "kplan reads all files *.kplan.hcl of the folder; of another folder: kplan -chdir=DIR",
	"filename":               "kplan reads all files *.kplan.hcl of the folder; of another folder: kplan -chdir=DIR",
	"n":                      "The namespace of an object stands in its block: metadata.namespace",
	"namespace":              "The namespace of an object stands in its block: metadata.namespace",
	"o":                      "Output for programs comes with -json",
	"output":                 "Output for programs comes with -json",
	"wait-for":               "What ready means for an object stands in its wait block.",
	"timeout":                "How long to wait for an object: -wait-timeout=DURATION",
	"plan":                   "A saved plan is an argument: kplan apply FILE, kplan show FILE",
}

// elsewhere is the hint for a word that another tool knows, "" for none.
func elsewhere(hints map[string]string, word string) string {
	if hint := hints[word]; hint != "" {
		return " " + hint
	}
	return ""
}
