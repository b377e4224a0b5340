// Command check-objects reads YAML documents from standard input and refuses each that is no object of Kubernetes' API: an unknown kind,
// an unknown or doubled field, a value of another type. It decodes as strictly as the API server does, by the API's own types (and those of
// the Prometheus Operator). Exit code 1 with a line for each problem; otherwise it lists the objects as kind/name.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	if err := monitoring.AddToScheme(scheme.Scheme); err != nil {
		fail(err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	refused := false
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fail(err)
		}
		if isEmpty(document) {
			continue
		}
		name, err := check(decoder, document)
		if err != nil {
			refused = true
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		fmt.Println(name)
	}
	if refused {
		os.Exit(1)
	}
}

func check(decoder runtime.Decoder, document []byte) (string, error) {
	object, kind, err := decoder.Decode(document, nil, nil)
	if err != nil {
		return "", fmt.Errorf("%s: %w", title(document), err)
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return "", fmt.Errorf("%s: %w", title(document), err)
	}
	if accessor.GetName() == "" {
		return "", fmt.Errorf("%s: has no metadata.name", title(document))
	}
	return kind.Kind + "/" + accessor.GetName(), nil
}

// title names a document that could not be decoded: Helm begins each with a comment that says its template.
func title(document []byte) string {
	for _, line := range strings.Split(string(document), "\n") {
		if source, found := strings.CutPrefix(line, "# Source: "); found {
			return source
		}
	}
	return "a document"
}

func isEmpty(document []byte) bool {
	for _, line := range strings.Split(string(document), "\n") {
		text := strings.TrimSpace(line)
		if text != "" && text != "---" && !strings.HasPrefix(text, "#") {
			return false
		}
	}
	return true
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
