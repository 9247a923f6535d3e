#include "dialects/metronome/job_schema.h"

#include <array>

#include "dialects/metronome/ids.h"

namespace docket::metronome {
namespace {

using enum JsonType;
using enum Presence;

constexpr Pattern kJobIdPattern{R"(^([a-z0-9]+(\-+[a-z0-9]+)*)(\.([a-z0-9]+(\-+[a-z0-9]+)*))*$)",
                                is_job_id};
constexpr Pattern kScheduleIdPattern{R"(^([a-z0-9][a-z0-9\-]*[a-z0-9]+)$)", is_schedule_id};

// ---- plain values
constexpr Schema kText{.type = kString};
constexpr Schema kNonEmptyText{.type = kString, .min_length = 1};
constexpr Schema kFlag{.type = kBoolean};
constexpr Schema kAnyNumber{.type = kNumber};
constexpr Schema kAnyInteger{.type = kInteger};
constexpr Schema kTextArray{.type = kArray, .items = &kText};
constexpr Schema kTextMap{.type = kObject, .values = &kText};
constexpr Schema kJobId{.type = kString, .pattern = &kJobIdPattern};
constexpr Schema kScheduleId{.type = kString, .pattern = &kScheduleIdPattern};

// ---- schedules
// REPLACE is docket's own, and allowed only for schedules that already have it: input.h.
constexpr std::array kPolicies{"ALLOW", "FORBID", "REPLACE"};
constexpr Schema kPolicy{.type = kString, .choices = kPolicies};
constexpr Schema kDeadline{.type = kInteger, .minimum = 1};

constexpr std::array kScheduleProperties{
    Property{"id", &kScheduleId, kRequired},
    Property{"cron", &kText, kRequired},
    Property{"timezone", &kText},
    Property{"startingDeadlineSeconds", &kDeadline},
    Property{"concurrencyPolicy", &kPolicy},
    Property{"enabled", &kFlag},
};
constexpr Schema kSchedule{
    .type = kObject, .properties = kScheduleProperties, .extras = Extras::kIgnored};

// Inside a job, a schedule's id follows the pattern of job ids (section 4).
constexpr auto kInnerScheduleProperties = [] {
  auto properties = kScheduleProperties;
  properties[0].schema = &kJobId;
  return properties;
}();
constexpr Schema kInnerSchedule{
    .type = kObject, .properties = kInnerScheduleProperties, .extras = Extras::kIgnored};
constexpr Schema kSchedules{.type = kArray, .items = &kInnerSchedule};

// ---- run
constexpr Schema kCpus{.type = kNumber, .minimum = 0.01};
constexpr Schema kMem{.type = kNumber, .minimum = 32};
constexpr Schema kNotNegative{.type = kNumber, .minimum = 0};
constexpr Schema kGpus{.type = kInteger, .minimum = 0};
constexpr Schema kPositiveInteger{.type = kInteger, .minimum = 1};

// The second stage checks that a secret is named at all.
constexpr std::array kEnvSecretProperties{Property{"secret", &kText}};
constexpr Schema kEnvSecret{
    .type = kObject, .properties = kEnvSecretProperties, .extras = Extras::kIgnored};
constexpr std::array kEnvValues{&kText, &kEnvSecret};
constexpr Schema kEnvValue{.one_of = kEnvValues};
constexpr Schema kEnv{.type = kObject, .values = &kEnvValue};
constexpr Schema kSecret{.type = kObject, .extras = Extras::kIgnored};
constexpr Schema kSecrets{.type = kObject, .values = &kSecret};

constexpr std::array kOperators{"IS", "LIKE", "UNLIKE", "EQ"};
constexpr Schema kOperator{.type = kString, .choices = kOperators};
constexpr std::array kConstraintProperties{
    Property{"attribute", &kText, kRequired},
    Property{"operator", &kOperator, kRequired},
    Property{"value", &kText},
};
constexpr Schema kConstraint{.type = kObject, .properties = kConstraintProperties};
constexpr Schema kConstraints{.type = kArray, .items = &kConstraint};
constexpr std::array kPlacementProperties{Property{"constraints", &kConstraints}};
constexpr Schema kPlacement{.type = kObject, .properties = kPlacementProperties};

constexpr std::array kArtifactProperties{
    Property{"uri", &kText, kRequired},
    Property{"extract", &kFlag},
    Property{"executable", &kFlag},
    Property{"cache", &kFlag},
};
constexpr Schema kArtifact{.type = kObject, .properties = kArtifactProperties};
constexpr Schema kArtifacts{.type = kArray, .items = &kArtifact};

constexpr std::array kParameterProperties{
    Property{"key", &kText, kRequired},
    Property{"value", &kText, kRequired},
};
constexpr Schema kParameter{.type = kObject, .properties = kParameterProperties};
constexpr Schema kParameters{.type = kArray, .items = &kParameter};
constexpr std::array kDockerProperties{
    Property{"image", &kText, kRequired},
    Property{"forcePullImage", &kFlag},
    Property{"privileged", &kFlag},
    Property{"parameters", &kParameters},
};
constexpr Schema kDocker{.type = kObject, .properties = kDockerProperties};

constexpr std::array kImageKinds{"docker", "appc"};
constexpr Schema kImageKind{.type = kString, .choices = kImageKinds};
constexpr std::array kImageProperties{
    Property{"id", &kText, kRequired},
    Property{"kind", &kImageKind},
    Property{"forcePull", &kFlag},
};
constexpr Schema kImage{.type = kObject, .properties = kImageProperties};
constexpr std::array kUcrProperties{
    Property{"image", &kImage, kRequired},
    Property{"privileged", &kFlag},
};
constexpr Schema kUcr{.type = kObject, .properties = kUcrProperties};

// The second stage checks which members may be combined; its messages differ.
constexpr std::array kModes{"RO", "RW"};
constexpr Schema kMode{.type = kString, .choices = kModes};
constexpr std::array kVolumeProperties{
    Property{"containerPath", &kText},
    Property{"hostPath", &kText},
    Property{"mode", &kMode},
    Property{"secret", &kText},
};
constexpr Schema kVolume{
    .type = kObject, .properties = kVolumeProperties, .extras = Extras::kIgnored};
constexpr Schema kVolumes{.type = kArray, .items = &kVolume};

constexpr std::array kRestartPolicies{"NEVER", "ON_FAILURE"};
constexpr Schema kRestartPolicy{.type = kString, .choices = kRestartPolicies};
// docket's own, like the members after networks.
constexpr std::array kBackoffProperties{
    Property{"firstSeconds", &kNotNegative},
    Property{"maxSeconds", &kNotNegative},
};
constexpr Schema kBackoff{.type = kObject, .properties = kBackoffProperties};
constexpr std::array kRestartProperties{
    Property{"policy", &kRestartPolicy, kRequired},
    Property{"activeDeadlineSeconds", &kAnyInteger},
    Property{"maxAttempts", &kPositiveInteger},
    Property{"backoff", &kBackoff},
};
constexpr Schema kRestart{.type = kObject, .properties = kRestartProperties};

constexpr std::array kNetworkModes{"host", "container/bridge", "container"};
constexpr Schema kNetworkMode{.type = kString, .choices = kNetworkModes};
constexpr std::array kNetworkProperties{
    Property{"mode", &kNetworkMode, kRequired},
    Property{"name", &kText},
    Property{"labels", &kTextMap},
};
constexpr Schema kNetwork{.type = kObject, .properties = kNetworkProperties};
constexpr Schema kNetworks{.type = kArray, .items = &kNetwork};

// docket's own, as this API shows them, so that a client can send back what it received.
constexpr std::array kWaits{"queue", "fail"};
constexpr Schema kWait{.type = kString, .choices = kWaits};
constexpr std::array kLockProperties{
    Property{"name", &kNonEmptyText, kRequired},
    Property{"wait", &kWait},
};
constexpr Schema kLock{.type = kObject, .properties = kLockProperties};
constexpr Schema kLocks{.type = kArray, .items = &kLock};
constexpr std::array kLostChoices{"fail", "restart"};
constexpr Schema kOnLost{.type = kString, .choices = kLostChoices};
constexpr std::array kLimitChoices{"all", "cpus", "mem", "none"};
constexpr Schema kLimits{.type = kString, .choices = kLimitChoices};

constexpr std::array kRunProperties{
    Property{"cpus", &kCpus, kRequired},
    Property{"mem", &kMem, kRequired},
    Property{"disk", &kNotNegative, kRequired},
    Property{"gpus", &kGpus},
    Property{"cmd", &kNonEmptyText},
    Property{"args", &kTextArray},
    Property{"user", &kText},
    Property{"env", &kEnv},
    Property{"secrets", &kSecrets},
    Property{"placement", &kPlacement},
    Property{"artifacts", &kArtifacts},
    Property{"maxLaunchDelay", &kPositiveInteger},
    Property{"docker", &kDocker},
    Property{"ucr", &kUcr},
    Property{"volumes", &kVolumes},
    Property{"restart", &kRestart},
    Property{"networks", &kNetworks},
    Property{"locks", &kLocks},
    Property{"onLost", &kOnLost},
    Property{"limits", &kLimits},
    Property{"timeoutSeconds", &kPositiveInteger},
    Property{"taskKillGracePeriodSeconds", &kAnyNumber},  // last: v0 has all the others
};
constexpr Schema kRun{.type = kObject, .properties = kRunProperties};
constexpr Schema kRunV0{.type = kObject,
                        .properties = std::span(kRunProperties).first<kRunProperties.size() - 1>()};

// ---- job
// The second stage handles a dependency without an id.
constexpr std::array kDependencyProperties{Property{"id", &kJobId}};
constexpr Schema kDependency{
    .type = kObject, .properties = kDependencyProperties, .extras = Extras::kIgnored};
constexpr Schema kDependencies{.type = kArray, .items = &kDependency};

constexpr std::array<Property, 6> job_properties(const Schema* run) {
  return {{
      {"id", &kJobId, kRequired},
      {"description", &kText},
      {"labels", &kTextMap},
      {"dependencies", &kDependencies},
      {"schedules", &kSchedules},
      {"run", run, kRequired},
  }};
}
constexpr auto kJobProperties = job_properties(&kRun);
constexpr auto kJobPropertiesV0 = job_properties(&kRunV0);
constexpr Schema kJob{.type = kObject, .properties = kJobProperties};
constexpr Schema kJobV0{.type = kObject, .properties = kJobPropertiesV0};

}  // namespace

const Schema& job_schema(ApiVersion version) { return version == ApiVersion::kV0 ? kJobV0 : kJob; }

const Schema& schedule_schema() { return kSchedule; }

}  // namespace docket::metronome
