package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const resourcesHeader = "groupVersion\tresource\tkind\tkindGV\tnamespaced\tshortNames\tcategories\t" +
	"singularName\tverbs\tstorageVersionHash\n"

// writeResources asks a server what it serves and writes one row per resource and subresource:
// group versions in discovery order, resources by name within one.
func writeResources(server, path string) error {
	groupVersions := []string{"v1"}
	var groups metav1.APIGroupList
	if err := get(server+"/apis", &groups); err != nil {
		return err
	}
	for _, group := range groups.Groups {
		for _, version := range group.Versions {
			groupVersions = append(groupVersions, version.GroupVersion)
		}
	}
	var out strings.Builder
	out.WriteString(resourcesHeader)
	for _, gv := range groupVersions {
		path := "/apis/" + gv
		if gv == "v1" {
			path = "/api/v1"
		}
		var list metav1.APIResourceList
		if err := get(server+path, &list); err != nil {
			return err
		}
		sort.Slice(list.APIResources, func(i, j int) bool {
			return list.APIResources[i].Name < list.APIResources[j].Name
		})
		for _, r := range list.APIResources {
			out.WriteString(resourceRow(gv, r))
		}
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

func resourceRow(gv string, r metav1.APIResource) string {
	kindGV := ""
	if r.Version != "" {
		kindGV = metav1.GroupVersion{Group: r.Group, Version: r.Version}.String()
	}
	return strings.Join([]string{
		gv, r.Name, r.Kind, kindGV, strconv.FormatBool(r.Namespaced),
		strings.Join(r.ShortNames, ","), strings.Join(r.Categories, ","), r.SingularName,
		strings.Join(r.Verbs, ","), r.StorageVersionHash,
	}, "\t") + "\n"
}

func get(url string, into any) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
