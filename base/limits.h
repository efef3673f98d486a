// Every cap of the program, with its name: value, unit, why, and what the client sees when it is
// hit. Values of kube-apiserver are kept where clients may rely on them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kulisse {

using namespace std::chrono_literals;

// --- base/json
// Nested arrays and objects in a document. Go's encoding/json has 10,000; nothing real comes near,
// and our recursive walks need a bound that fits a thread's stack. 400 "exceeded max depth".
inline constexpr size_t kJsonDepthMax = 1'000;

// --- certs
// A certificate, key, kubeconfig or token file, bytes. Larger ones are refused at start.
inline constexpr size_t kPrivateFileBytesMax = 1024 * 1024;
// How long the CA and what it signs are valid (kubeadm's values), and how long before its end a
// certificate of ours is issued anew at a start.
inline constexpr auto kAuthorityValidity = 24h * 365 * 10;
inline constexpr auto kCertificateValidity = 24h * 365;
inline constexpr auto kCertificateRenewalLead = 24h * 30;
// New certificates are valid from so long ago: clients' clocks may be behind.
inline constexpr auto kCertificateBackdating = 5min;

// --- apiserver/net
// Request line and headers, bytes (Go's default is 1 MiB). 431 and the connection closes.
inline constexpr size_t kRequestHeadBytesMax = 256 * 1024;
// Header fields of one request. 431 and the connection closes.
inline constexpr size_t kRequestHeadersMax = 1'000;
// One chunk-size line with its extensions, and all trailers of a request, bytes. 400.
inline constexpr size_t kChunkLineBytesMax = 1'024;
inline constexpr size_t kTrailerBytesMax = 8 * 1024;
// Payload of one frame from the client of a WebSocket, bytes (upstream: 32 MiB); it is thrown away
// as it comes. The WebSocket closes with 1009.
inline constexpr uint64_t kWebSocketFrameBytesMax = 32 * 1024 * 1024;
// Bytes read ahead while an answer is under way (pipelined requests); then the socket waits.
inline constexpr size_t kReadAheadBytesMax = 64 * 1024;
// Request body, bytes (upstream: 3 MiB). 413 RequestEntityTooLarge.
inline constexpr size_t kRequestBodyBytesMax = 3 * 1024 * 1024;
// Time from the first byte of a head to its end, and for a body. 408 and the connection closes.
inline constexpr auto kRequestReadTimeMax = 30s;
// Time that one write may make no progress (a client that does not read). The connection closes.
inline constexpr auto kResponseWriteTimeMax = 60s;
// Time a keep-alive connection may idle between requests. The connection closes.
inline constexpr auto kConnectionIdleTimeMax = 10min;
// Time in which a client that was refused in mid-request may read the refusal, while what it still
// sends is thrown away (else the kernel's reset could overtake the answer).
inline constexpr auto kLingerTimeMax = 2s;
// Time for a TLS handshake. The connection closes.
inline constexpr auto kTlsHandshakeTimeMax = 10s;
// Client certificates that need not be verified again.
inline constexpr size_t kVerifiedCertificatesMax = 1024;
// Open connections of one listener; more wait in the kernel's backlog.
inline constexpr size_t kConnectionsMax = 16'384;
// Bytes of an answer's body that are produced before the socket must take some. Buffers of that
// size stay in the heap: larger ones are mapped and cleared by the kernel each time.
inline constexpr size_t kResponseChunkBytes = 64 * 1024;
// Bodies from this size on are compressed when the client accepts gzip (upstream: 128 KiB).
inline constexpr size_t kGzipBodyBytesMin = 128 * 1024;
// Time between SIGTERM and the end of the last connection.
inline constexpr auto kDrainTimeMax = 800ms;

// --- apiserver
// Watches without timeoutSeconds end at random between this and twice this (upstream: 1800 s).
inline constexpr auto kWatchTimeoutMin = 1'800s;
// Operations of one JSON patch (upstream: 10,000). 413.
inline constexpr size_t kJsonPatchOperationsMax = 10'000;
// Bytes that the copy operations of one JSON patch may copy in all (upstream: 3 MiB). 422.
inline constexpr size_t kJsonPatchCopyBytesMax = 3 * 1024 * 1024;
// How often a write is computed anew when the object changed meanwhile. Then 409.
inline constexpr int kUpdateRetriesMax = 64;
// How often a generated name is drawn again on a collision (upstream: 8). Then 409.
inline constexpr int kGenerateNameTriesMax = 8;
// How long a read waits for a resourceVersion that is not there yet (upstream: 3 s). Then 504.
inline constexpr auto kFutureRevisionWaitMax = 3s;
// Entries of updates in metadata.managedFields (upstream: DefaultMaxUpdateManagers). The oldest are
// merged into one, "ancient-changes".
inline constexpr size_t kUpdateManagersMax = 10;
// The lease by which the server shows that it lives: how long it holds and how often it is renewed
// (upstream's values).
inline constexpr auto kIdentityLeaseDuration = 3'600s;
inline constexpr auto kIdentityLeaseRenewPeriod = 10s;
// Between bookmarks of a watch (upstream: 1 min).
inline constexpr auto kBookmarkPeriod = 60s;
// Existing pods that a stricter Pod Security level is held against when a namespace gets it
// (upstream: 3,000). A warning says how many were left out.
inline constexpr size_t kNamespacePodsCheckedMax = 3'000;
// Series of /metrics: labels are verbs, resources and codes, which are few. More are not counted.
inline constexpr size_t kMetricSeriesMax = 20'000;

// --- storage
// One object as stored, bytes (etcd's default request limit). 413.
inline constexpr size_t kObjectBytesMax = 1'536 * 1024;
// Memory of the event ring.
inline constexpr size_t kHistoryRingBytesMax = 8 * 1024 * 1024;
// The event log in the engine: bytes and age. Watches from before it get 410.
inline constexpr size_t kHistoryLogBytesMax = 256 * 1024 * 1024;
inline constexpr auto kHistoryLogAgeMax = 5min;
// Events handed to one watcher at a time.
inline constexpr size_t kWatchBatchEventsMax = 128;
// Snapshots pinned for paged lists: how long since last use, and how many. Then 410.
inline constexpr auto kSnapshotAgeMax = 5min;
inline constexpr size_t kSnapshotsMax = 64;
// Commits waiting for the engine, and the bytes of their records; writers beyond it wait.
inline constexpr size_t kPendingCommitsMax = 8'192;
inline constexpr size_t kPendingCommitBytesMax = 8 * 1024 * 1024;
// Commits that go to the engine in one batch: bounds the time until the first of them is durable.
inline constexpr size_t kBatchCommitsMax = 512;
// A record with its header: labels and selectable fields of an object are there twice.
inline constexpr size_t kRecordBytesMax = 2 * kObjectBytesMax + 64 * 1024;
// A resource gets a dictionary when it has this many objects and wrote this many bytes of them.
inline constexpr size_t kDictionaryObjectsMin = 256;
inline constexpr size_t kDictionarySampleBytesMin = 256 * 1024;
// What a dictionary is trained from, and its size (more brings nothing: measured).
inline constexpr size_t kDictionarySampleBytesMax = 512 * 1024;
inline constexpr size_t kDictionarySamplesMax = 1'000;
inline constexpr size_t kDictionaryBytesMax = 8 * 1024;

// --- simulator
// Text of one stage template, bytes; output of one rendering.
inline constexpr size_t kTemplateBytesMax = 256 * 1024;
inline constexpr size_t kTemplateOutputBytesMax = 1024 * 1024;
// Steps that one jq or template evaluation may take.
inline constexpr size_t kExpressionStepsMax = 1'000'000;
// Between tries to empty a namespace that is being deleted, while something holds its objects.
inline constexpr auto kNamespaceRetryDelay = 250ms;
// Between counts of what namespaces with resource quotas use: how long a deleted object still
// counts.
inline constexpr auto kQuotaRecountPeriod = 2s;
// Simulated nodes of --nodes.
inline constexpr size_t kSimulatedNodesMax = 100'000;

// Tokens of service accounts whose signature is known to be good; then all are checked again.
inline constexpr size_t kCheckedTokensMax = 4096;

}  // namespace kulisse
