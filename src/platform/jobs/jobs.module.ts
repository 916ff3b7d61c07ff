import { Global, Module } from '@nestjs/common';
import { JobRunner } from './job-runner.js';
import { JobUpkeep } from './job-upkeep.js';
import { JobWorker } from './job-worker.js';
import { Jobs } from './jobs.service.js';

@Global()
@Module({ providers: [Jobs, JobRunner, JobUpkeep, JobWorker], exports: [Jobs, JobWorker] })
export class JobsModule {}
