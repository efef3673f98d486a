// Fields that the server itself writes into objects of single kinds, or drops because the feature
// behind them is off by default (upstream: PrepareForCreate and PrepareForUpdate of the kinds'
// strategies). What applies to all kinds is in object_meta.h; strategy.h calls these.
//
// Threads: pure functions. Errors: none; what cannot be written is left to validation.
#pragma once

#include <string_view>

#include "base/json/value.h"

namespace kulisse::apiserver {

// A job selects its pods by its uid, and labels its template so, unless it selects by hand. A job
// without labels has those of its template.
void WriteJobSelector(json::Document& job);

// The topology of endpoints, which discovery.k8s.io/v1 has for reading alone. Whether there was
// any.
bool DropDeprecatedTopology(json::Document& slice);

// The count of a daemon set's templates, which is kept in an annotation. `old` is null for a new
// one.
void WriteTemplateGeneration(json::Document& daemon_set, const json::Value* old);

// The two fields for the source of a claim's data, of which clients give one. A `dataSource` that
// is neither a claim nor a snapshot is dropped, unless the old claim has a source. `old` is null
// for a new claim.
void WriteDataSources(json::Document& claim, const json::Value* old);

// The time at which a volume came into its phase: now, if the phase is another than the old one's.
void WritePhaseTransitionTime(json::Document& volume, const json::Value* old, std::string_view now);

// A pod with scheduling gates says so in its conditions.
void WriteSchedulingGatedCondition(json::Document& pod);

// An API service that names no service is one of this server, which is available.
void WriteLocalAvailable(json::Document& api_service);

// The version in which objects of a definition are kept is one that was stored.
void WriteStoredVersions(json::Document& definition);

// Removes fields of features that are off, unless `old` (null for a new object) has them.
void DropDisabledFields(std::string_view storage_name, json::Document& object,
                        const json::Value* old);

}  // namespace kulisse::apiserver
