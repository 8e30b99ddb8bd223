package main

import (
	"kplan.dev/kplan/internal/cli"
)

// commandLine describes the whole command line. The flags' values are fresh each
// time, but for those that are the session's.
func commandLine(s *session) *cli.App {
	list := []*cli.Command{
		initCommand(s),
		validateCommand(s),
		planCommand(s),
		applyCommand(s),
		destroyCommand(s),
		fmtCommand(s),
		convertCommand(s),
		importCommand(s),
		renderCommand(s),
		showCommand(s),
		outputCommand(s),
		consoleCommand(s),
		graphCommand(s),
		moduleCommand(s),
		stateCommand(s),
		lockCommand(s),
		forceUnlockCommand(s),
		versionCommand(s),
		completionCommand(s),
	}
	for _, c := range list {
		for _, sub := range c.Subcommands {
			addNoColor(s, sub)
		}
		if len(c.Subcommands) == 0 {
			addNoColor(s, c)
		}
	}
	return cli.New(cli.App{
		Name: "kplan",
		About: "kplan plans and applies changes to Kubernetes clusters. The files *.kplan.hcl of a directory declare the " +
			"desired objects. kplan plan shows what would change, and kplan apply makes the changes.",
		Flags:    []cli.Flag{cli.Text("chdir", &s.chdir, "Change to the directory `DIR` before doing anything else.")},
		Commands: list,
		Main:     4,
		Environment: "To find the cause of a problem, set KPLAN_LOG=debug, or KPLAN_LOG=trace for headers and bodies of requests. The log goes " +
			"to standard error, or to the file KPLAN_LOG_FILE. It has no secrets.",
		OtherCommands: otherCommands,
		OtherFlags:    otherFlags,
	})
}

func addNoColor(s *session, c *cli.Command) {
	heading := "Options"
	if n := len(c.Flags); n > 0 {
		heading = cli.HeadingOf(c.Flags[n-1])
	}
	c.Flags = append(c.Flags, cli.Group(heading, cli.On("no-color", &s.ui.NoColor, "Print no color."))...)
}

func stateCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:    "state",
		Summary: "Inspect and repair the state",
		About: "The state records what kplan manages: which object in the cluster belongs to which address in " +
			"the configuration. These commands change that record and nothing in the cluster.",
		Subcommands: []*cli.Command{stateListCommand(s), stateShowCommand(s), stateCheckCommand(s), stateMoveCommand(s), stateRemoveCommand(s),
			stateHistoryCommand(s), statePullCommand(s), statePushCommand(s), stateRebuildCommand(s)},
	}
}

// What users of other tools type, and what does the same in kplan.

// otherCommands are commands of Terraform, kubectl and Helm.
var otherCommands = map[string]string{
	"taint":     "To replace an object: kplan apply -replace=ADDRESS",
	"untaint":   "Objects are never tainted. To replace one, name it when you plan: kplan plan -replace=ADDRESS",
	"refresh":   "Every plan reads the cluster. To record in the state what was changed outside kplan: kplan apply -refresh-only",
	"workspace": "Use a state of its own instead of a workspace: kplan plan -state=NAME.kplan.state.json",
	"providers": "There are no providers: kplan talks to the API server itself.",
	"get":       "To fetch modules: kplan init. To get an object from the cluster: kubectl get",
	"login":     "kplan uses the kubeconfig, as kubectl does: see the options -kubeconfig and -context of kplan plan.",
	"logout":    "kplan stores no credentials: it uses those of the kubeconfig.",
	"metadata":  "To check a configuration against the built-in kinds: kplan validate",
	"modules":   "To list the modules in use: kplan module list",
	"test":      "There are no tests in the language yet. To check a configuration without a cluster: kplan validate",
	"diff":      "To show what would change: kplan plan",
	"preview":   "To show what would change: kplan plan",
	"template":  "To write the objects as YAML, without a cluster: kplan render",
	"delete":    "To delete all objects: kplan destroy. To delete one object, remove its block, then: kplan apply",
	"rm":        "To delete an object, remove its block, then: kplan apply. To forget it without deleting it: kplan state rm ADDRESS",
	"create":    "To create what the configuration declares: kplan apply",
	"install":   "To create what the configuration declares: kplan apply",
	"upgrade":   "To update what the configuration declares: kplan apply",
	"up":        "To create what the configuration declares: kplan apply",
	"down":      "To delete all objects: kplan destroy",
	"unlock":    "To release the lock of the state: kplan force-unlock LOCK_ID",
	"list":      "To list the managed objects: kplan state list",
	"edit":      "To change an object, change its block, then: kplan apply",
	"patch":     "To change an object, change its block, then: kplan apply",
	"set":       "To change an object, change its block, then: kplan apply",
	"scale":     "To change an object, change its block, then: kplan apply",
	"replace":   "To delete and recreate an object: kplan apply -replace=ADDRESS",
	"rollout":   "kplan apply waits until objects are ready. To restart or undo a rollout: kubectl rollout",
	"rollback":  "To return to an earlier configuration, check it out, then: kplan apply",
	"explain":   "To check a configuration against the built-in kinds: kplan validate. To read about their fields: kubectl explain",
	"describe":  "To show what the state records of an object: kplan state show ADDRESS. To see it in the cluster: kubectl describe",
	"logs":      "To read the logs of a pod: kubectl logs",
	"exec":      "To run a program in a pod: kubectl exec",
	"kustomize": "To write what kubectl kustomize builds as configuration: kubectl kustomize DIR | kplan convert -",
	"config":    "kplan uses the kubeconfig as it is. To choose one of its contexts: kplan plan -context=NAME",
	"ctx":       "kplan uses the kubeconfig as it is. To choose one of its contexts: kplan plan -context=NAME",
}

// otherFlags are their flags.
var otherFlags = map[string]string{
	"refresh":                "A plan always reads the cluster, with one request per kind. To plan without a cluster: kplan plan -offline",
	"upgrade":                "To take newer versions of modules: kplan init -upgrade",
	"lockfile":               "No other command changes the lock file of the modules: kplan init -lockfile=readonly",
	"backend-config":         "To complete the backend block for all runs in a directory: kplan init -backend-config='NAME=VALUE'",
	"backend":                "A directory needs no init to be validated: kplan validate",
	"reconfigure":            "To use another backend: kplan init -reconfigure",
	"migrate-state":          "To move a state to another backend: kplan init -migrate-state",
	"force-copy":             "Nothing is asked: kplan init -migrate-state",
	"get":                    "kplan init always fetches the modules that the lock file lacks.",
	"from-module":            "To start from a module, call it: module \"app\" { source = \"…\" }",
	"plugin-dir":             "There are no plugins: kplan talks to the API server itself.",
	"state-out":              "The state is written to where it was read: -state=PATH.",
	"backup":                 "The previous state is always kept beside the state.",
	"lock":                   "Commands that change the state always lock it. To wait for the lock: -lock-timeout=DURATION",
	"show-sensitive":         "Sensitive values are not stored, so they can't be shown. Only kplan render has this flag.",
	"consolidate-errors":     "Each error is shown on its own.",
	"deprecation":            "Modules declare nothing deprecated. What the API server calls deprecated is shown as a warning.",
	"suppress-forget-errors": "To forget an object is no error: such a plan exits with 0.",
	"generate-config-out":    "A plan writes the blocks that import blocks lack: kplan plan -generate-config-out=FILE.kplan.hcl",
	"from-kustomize":         "To write what kustomize builds as configuration: kubectl kustomize DIR | kplan convert -",
	"from-cluster":           "kplan import always reads the cluster: kplan import -namespace=NAME",
	"force":                  "To skip the approval: -auto-approve",
	"yes":                    "To skip the approval: -auto-approve",
	"y":                      "To skip the approval: -auto-approve",
	"dry-run":                "To show what would change: kplan plan",
	"f":                      "kplan reads all files *.kplan.hcl of the directory. To use another directory: kplan -chdir=DIR",
	"filename":               "kplan reads all files *.kplan.hcl of the directory. To use another directory: kplan -chdir=DIR",
	"n":                      "The namespace of an object is in its block: metadata.namespace",
	"namespace":              "The namespace of an object is in its block: metadata.namespace",
	"o":                      "To print output for programs: -json",
	"output":                 "To save a plan: kplan plan -out=FILE. To print output for programs: -json",
	"id":                     "Objects have no IDs of their own. To find one by its address: kplan state list ADDRESS",
	"wait-for":               "An object's wait block says when it is ready.",
	"timeout":                "To set how long to wait for an object: -wait-timeout=DURATION",
	"plan":                   "A saved plan is an argument: kplan apply FILE, kplan show FILE",
	"k":                      "kplan reads all files *.kplan.hcl of the directory. To use another directory: kplan -chdir=DIR",
	"R":                      "Directories below are not read. kplan fmt and kplan convert read them with -recursive.",
	"l":                      "To limit a run to some objects: -target=ADDRESS",
	"selector":               "To limit a run to some objects: -target=ADDRESS",
	"A":                      "The namespace of an object is in its block: metadata.namespace",
	"all-namespaces":         "The namespace of an object is in its block: metadata.namespace",
	"server-side":            "kplan always applies server-side.",
	"prune":                  "Objects whose blocks are gone are always deleted, as the plan shows.",
	"v":                      "To log what kplan does, set KPLAN_LOG=debug. To show its version: kplan version",
	"verbose":                "To log what kplan does, set KPLAN_LOG=debug.",
	"debug":                  "To log what kplan does, set KPLAN_LOG=debug.",
}
