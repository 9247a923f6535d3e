#pragma once

// The objects of the model: what a cluster consists of, and what its nodes are given
// (opscenter-lcm.md section 2). One table says which members each resource has; reading bodies,
// showing objects and paths follow from it.

#include <span>
#include <string_view>

namespace docket::lcm {

enum class Version { kV1, kV2 };

enum class MemberType {
  kText,
  kBool,
  kNumber,  // a whole number from 1
  kObject,
  kReference,  // the id of an object of `of`, or null
  kParent,     // the id of the object of `of` that it is below; never changes
  kSecret,     // text that is kept sealed and never shown
  kReadOnly,   // shown, with `otherwise` until something sets it; ignored where clients send it
};

struct Member {
  std::string_view name;
  MemberType type = MemberType::kText;
  bool required = false;
  std::string_view otherwise = "null";  // JSON: what an absent member has
  std::string_view of = {};             // a family; or of a text the words it may be: "a b c"
  std::string_view v1_name = {};        // where the older version has another one
  std::string_view alias = {};          // another name that bodies may use, and answers show
  bool v2_only = false;
};

struct Resource {
  std::string_view family;      // of its records, and its `type`: "config-profile"
  std::string_view collection;  // in paths: "config_profiles"
  std::span<const Member> members;
};

std::span<const Resource> resources();
const Resource& resource(std::string_view family);
std::string_view name_in(Version version, const Member& member);

// Whether one may refer to another of this family, which cannot be deleted while it does.
const Member* reference_to(const Resource& resource, std::string_view family);

}  // namespace docket::lcm
