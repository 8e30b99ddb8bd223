package main

import "runtime/debug"

// version is set by the linker: see the Makefile.
var version = ""

// versionText is the version that the build was given, or the one that the go
// command knows.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
