// Command go works on a cluster as controllers written with client-go do: a typed client with
// protobuf, informers, the dynamic client, server-side apply, leader election.
//
//	go KUBECONFIG
//
// It prints what it has checked; the exit status is 1 at the first thing that is not as it should.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const (
	namespace   = "go-client"
	waitTimeout = 60 * time.Second
)

func check(what string, err error) {
	if err != nil {
		fmt.Printf("FAILED %s: %v\n", what, err)
		os.Exit(1)
	}
	fmt.Printf("ok %s\n", what)
}

func expect(what string, good bool, got any) {
	if !good {
		check(what, fmt.Errorf("got %v", got))
	}
	check(what, nil)
}

// waitFor receives from events until one is the wanted one.
func waitFor(what string, events <-chan string, wanted string) {
	timeout := time.After(waitTimeout)
	for {
		select {
		case event := <-events:
			if event == wanted {
				check(what, nil)
				return
			}
		case <-timeout:
			check(what, fmt.Errorf("no %q within %v", wanted, waitTimeout))
		}
	}
}

// watchConfigMaps starts an informer; each of its events is a line "added NAME".
func watchConfigMaps(ctx context.Context, client kubernetes.Interface) (<-chan string, cache.SharedIndexInformer) {
	events := make(chan string, 1000)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	name := func(object any) string { return object.(*corev1.ConfigMap).Name }
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { events <- "added " + name(object) },
		UpdateFunc: func(_, object any) { events <- "updated " + name(object) },
		DeleteFunc: func(object any) { events <- "deleted " + name(object) },
	})
	check("an informer takes handlers", err)
	factory.Start(ctx.Done())
	for _, synced := range factory.WaitForCacheSync(ctx.Done()) {
		expect("the informer has its first list", synced, synced)
	}
	return events, informer
}

func typedClient(ctx context.Context, client kubernetes.Interface, contentType string) {
	suffix := "-" + contentType
	events, informer := watchConfigMaps(ctx, client)
	maps := client.CoreV1().ConfigMaps(namespace)
	name := "typed" + suffix
	created, err := maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "go"}},
		Data:       map[string]string{"a": "1"}, BinaryData: map[string][]byte{"b": {0, 1, 255}},
	}, metav1.CreateOptions{})
	check("create with "+contentType, err)
	waitFor("the informer sees the new object", events, "added "+name)

	created.Data["a"] = "2"
	updated, err := maps.Update(ctx, created, metav1.UpdateOptions{})
	check("update", err)
	waitFor("the informer sees the update", events, "updated "+name)
	_, err = maps.Update(ctx, created, metav1.UpdateOptions{})
	expect("an update of an old version is a conflict", apierrors.IsConflict(err), err)

	patch, _ := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"patched": "yes"}}})
	for _, kind := range []types.PatchType{types.MergePatchType, types.StrategicMergePatchType} {
		patched, err := maps.Patch(ctx, name, kind, patch, metav1.PatchOptions{})
		check("patch with "+string(kind), err)
		expect("the patch is there", patched.Labels["patched"] == "yes" && patched.Data["a"] == updated.Data["a"], patched)
	}
	_, err = maps.Patch(ctx, name, types.JSONPatchType,
		[]byte(`[{"op":"remove","path":"/metadata/labels/patched"}]`), metav1.PatchOptions{})
	check("JSON patch", err)

	list, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "app=go", Limit: 1})
	check("list", err)
	expect("the list has the object", len(list.Items) == 1 && list.Items[0].BinaryData["b"][2] == 255, list)
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Bad_Name"}}, metav1.CreateOptions{})
	expect("a bad name is invalid", apierrors.IsInvalid(err), err)

	check("delete", maps.Delete(ctx, name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(created.UID))}))
	waitFor("the informer sees the deletion", events, "deleted "+name)
	_, there, err := informer.GetStore().GetByKey(namespace + "/" + name)
	expect("the informer's cache forgets it", !there && err == nil, err)
	_, err = maps.Get(ctx, name, metav1.GetOptions{})
	expect("get says it is not there", apierrors.IsNotFound(err), err)
}

func apply(ctx context.Context, client kubernetes.Interface) {
	deployments := client.AppsV1().Deployments(namespace)
	labels := map[string]string{"app": "applied"}
	wanted := appsapply.Deployment("applied", namespace).WithLabels(labels).WithSpec(appsapply.DeploymentSpec().
		WithReplicas(0).WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(
			coreapply.Container().WithName("main").WithImage("registry.example/app:1")))))
	first, err := deployments.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "go"})
	check("apply creates", err)
	again, err := deployments.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "go"})
	check("apply again", err)
	expect("it changes nothing", again.Generation == first.Generation, again.Generation)
	other := appsapply.Deployment("applied", namespace).WithSpec(appsapply.DeploymentSpec().WithReplicas(3))
	_, err = deployments.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "other"})
	expect("another manager is in conflict", apierrors.IsConflict(err), err)
	forced, err := deployments.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "other", Force: true})
	check("apply with force", err)
	expect("the force has won", *forced.Spec.Replicas == 3, *forced.Spec.Replicas)
	extracted, err := appsapply.ExtractDeployment(forced, "go")
	check("extract what a manager owns", err)
	expect("it owns the labels, no more the replicas",
		extracted.Labels["app"] == "applied" && extracted.Spec.Replicas == nil, extracted)
	check("delete what was applied", deployments.Delete(ctx, "applied", metav1.DeleteOptions{}))
}

func dynamicClient(ctx context.Context, config *rest.Config) {
	client, err := dynamic.NewForConfig(config)
	check("a dynamic client", err)
	services := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace(namespace)
	watch, err := services.Watch(ctx, metav1.ListOptions{})
	check("watch", err)
	defer watch.Stop()
	service := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "dynamic"},
		"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
	}}
	_, err = services.Create(ctx, service, metav1.CreateOptions{})
	check("create without types", err)
	select {
	case event := <-watch.ResultChan():
		expect("the watch sees it", event.Type == "ADDED", event)
	case <-time.After(waitTimeout):
		expect("the watch sees it", false, "nothing")
	}
	check("delete", services.Delete(ctx, "dynamic", metav1.DeleteOptions{}))
}

func leaderElection(ctx context.Context, client kubernetes.Interface) {
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	led := false
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Namespace: namespace, Name: "leader"},
			Client:    client.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: "me"},
		},
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { led = true; cancel() },
			OnStoppedLeading: func() {},
		},
	})
	check("a leader elector", err)
	elector.Run(ctx)
	expect("it has led", led, led)
	lease, err := client.CoordinationV1().Leases(namespace).Get(context.Background(), "leader", metav1.GetOptions{})
	check("get the lease", err)
	expect("the lease is released", *lease.Spec.HolderIdentity == "", *lease.Spec.HolderIdentity)
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check("the kubeconfig", err)
	config.QPS = -1
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := kubernetes.NewForConfigOrDie(config)
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	check("create a namespace", err)
	for name, contentType := range map[string]string{"json": "application/json", "protobuf": "application/vnd.kubernetes.protobuf"} {
		typed := rest.CopyConfig(config)
		typed.ContentType = contentType
		typedClient(ctx, kubernetes.NewForConfigOrDie(typed), name)
	}
	apply(ctx, client)
	dynamicClient(ctx, config)
	leaderElection(ctx, client)
}
