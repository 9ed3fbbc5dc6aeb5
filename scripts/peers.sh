#!/usr/bin/env bash
# Builds the real tools that tests compare with, where Go is at hand, into ${SLUICE_PEERS:-~/.cache/sluice/peers}; each once a machine.
# Without Go, or without ../shared/tools, tests that need them skip with a clear line.
# `peers.sh flux-controllers` builds Flux's source- and kustomize-controller too, which only bench/gitops.bench.ts asks for (about ten minutes).
set -uo pipefail
cd "$(dirname "$0")/.."
peers=${SLUICE_PEERS:-$HOME/.cache/sluice/peers}
tools=${SLUICE_TOOLS:-$PWD/../shared/tools}
mkdir -p "$peers"
if ! command -v go >/dev/null; then echo "peers: no Go here, the real control plane and kustomize are not built"; exit 0; fi

if [ ! -x "$peers/kustomize" ]; then
  echo "peers: building kustomize 5.8.1"
  GOBIN=$peers go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 || echo "peers: kustomize could not be built"
fi
if [ ! -x "$peers/gofakes3" ]; then
  echo "peers: building gofakes3 1.2.0"
  GOBIN=$peers go install github.com/johannesboyne/gofakes3/cmd/gofakes3@v1.2.0 || echo "peers: gofakes3 could not be built"
fi
if [ ! -x "$peers/flux" ]; then
  # Its own build embeds the manifests of its controllers, which no test asks for: an empty file stands in for them.
  echo "peers: building flux 2.9.4 (about four minutes of processor time)"
  work=$(mktemp -d)
  module=$(go mod download -json github.com/fluxcd/flux2/v2@v2.9.4 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  cp -r "$module/." "$work" && chmod -R u+w "$work" && mkdir -p "$work/cmd/flux/manifests" && : >"$work/cmd/flux/manifests/none.yaml"
  (cd "$work" && go build -trimpath -ldflags "-s -w -X main.VERSION=2.9.4" -o "$peers/.flux" ./cmd/flux && mv "$peers/.flux" "$peers/flux") ||
    echo "peers: flux could not be built"
  rm -rf "$work"
fi
# cosign is not built: it takes as long again, and the journeys that use it say so and skip.
if [ ! -x "$peers/kustomize-batch" ]; then
  echo "peers: building kustomize 5.8.1 for many builds in one process"
  work=$(mktemp -d)
  cp tests/kustomize/batch/main.go "$work"
  (cd "$work" && go mod init batch && go get sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 && go build -o "$peers/kustomize-batch" .) >"$work/go.log" 2>&1 ||
    { echo "peers: it could not be built"; tail -5 "$work/go.log"; }
  rm -rf "$work"
fi
if [ ! -x "$peers/helm" ]; then
  echo "peers: building helm 3.16.4"
  work=$(mktemp -d)
  (cd "$work" && go mod init helm && go get helm.sh/helm/v3/cmd/helm@v3.16.4 && go build -o "$peers/helm" helm.sh/helm/v3/cmd/helm) >"$work/go.log" 2>&1 ||
    { echo "peers: helm could not be built"; tail -5 "$work/go.log"; }
  rm -rf "$work"
fi
if [ ! -x "$peers/kube-control-plane" ] && [ -d "$tools/kube-control-plane" ]; then
  echo "peers: building the Kubernetes control plane (about five minutes)"
  work=$(mktemp -d)
  cp -r "$tools/kube-control-plane/." "$work" && chmod -R u+w "$work"
  (cd "$work" && ./prepare.sh >prepare.log 2>&1 && cp kube-control-plane "$peers/.kube-control-plane" && mv "$peers/.kube-control-plane" "$peers/kube-control-plane") ||
    { echo "peers: the control plane could not be built"; tail -5 "$work/prepare.log"; }
  rm -rf "$work"
fi
if [ "${1:-}" = flux-controllers ] && [ ! -x "$peers/flux-controllers/kustomize-controller" ]; then
  mkdir -p "$peers/flux-controllers/crds"
  for controller in source-controller@v1.9.1 kustomize-controller@v1.9.4; do
    name=${controller%@*}
    echo "peers: building $controller"
    work=$(mktemp -d)
    module=$(go mod download -json "github.com/fluxcd/$name@${controller#*@}" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    cp -r "$module/." "$work" && chmod -R u+w "$work" && cp "$work"/config/crd/bases/*.yaml "$peers/flux-controllers/crds"
    (cd "$work" && go mod edit -dropreplace="github.com/fluxcd/$name/api" && GOFLAGS=-mod=mod go build -trimpath -ldflags "-s -w" -o "$peers/flux-controllers/.$name" . && mv "$peers/flux-controllers/.$name" "$peers/flux-controllers/$name") ||
      echo "peers: $name could not be built"
    rm -rf "$work"
  done
fi
exit 0
