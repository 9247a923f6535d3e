#pragma once

// The API description that /public/api/api.raml serves.

#include <string_view>

namespace docket::metronome {

inline constexpr std::string_view kPublicApi = R"(#%RAML 0.8
title: DC/OS Jobs API
version: v1
baseUri: /
mediaType: application/json

/ping:
  get: { description: Answers "pong" as plain text. }
/info:
  get: { description: Versions and configuration. }
/leader:
  get: { description: The server that answers writes. }
/v1/metrics:
  get: { description: "Counters, gauges and meters." }
/v1/queue:
  get: { description: Runs that wait for resources or a matching node. }
/v1/events:
  get:
    description: |
      Server-sent events: job_created, job_updated, job_deleted, job_run_started, job_run_updated,
      job_run_finished, job_run_failed. Send Last-Event-ID to resume.
/v1/jobs:
  get:
    description: All jobs.
    queryParameters:
      embed: { enum: [activeRuns, schedules, history, historySummary], repeat: true }
  post:
    description: Creates a job. Schema in v1/schema/jobspec.schema.json.
  /{jobId}:
    get:
      description: One job.
      queryParameters:
        embed: { enum: [activeRuns, schedules, history, historySummary], repeat: true }
    put: { description: Replaces the job; keeps its schedules. }
    delete:
      description: Removes the job.
      queryParameters:
        stopCurrentJobRuns: { type: boolean, default: false }
    /schedules:
      get: { description: The schedules of the job. }
      post: { description: Adds a schedule. Schema in v1/schema/schedulespec.schema.json. }
      /{scheduleId}:
        get: { description: One schedule. }
        put: { description: Replaces the schedule. }
        delete: { description: Removes the schedule. }
    /runs:
      get:
        description: Active runs; with all=true finished ones too, newest first.
        queryParameters:
          all: { type: boolean, default: false }
          limit: { type: integer, default: 100, minimum: 1, maximum: 1000 }
          before: { type: string }
      post: { description: Starts a run. An object with env or description sets them for this run. }
      /{runId}:
        get: { description: One active run. }
        /actions/stop:
          post: { description: Stops the run. }
/v0/scheduled-jobs:
  post: { description: Creates a job with its schedules. }
  /{jobId}:
    put: { description: Replaces the job and its schedules. }
)";

}  // namespace docket::metronome
