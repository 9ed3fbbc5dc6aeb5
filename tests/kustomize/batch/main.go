// Package main builds kustomizations by kustomize's own build command, many in one process: a folder a line in, a JSON line out. The command starts
// once, so that a long comparison does not pay for thousands of starts. State that a build leaves behind (openapi) is the caller's affair.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

type answer struct {
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
	OK    bool   `json:"ok"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(buildOne(in.Text())); err != nil {
			panic(err)
		}
	}
}

func buildOne(dir string) (result answer) {
	defer func() {
		if fault := recover(); fault != nil {
			result = answer{Error: fmt.Sprintf("panic: %v", fault)}
		}
	}()
	text := &bytes.Buffer{}
	command := build.NewCmdBuild(filesys.MakeFsOnDisk(), build.MakeHelp("kustomize", "build"), text)
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs([]string{dir})
	if err := command.Execute(); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{OK: true, Text: text.String()}
}
