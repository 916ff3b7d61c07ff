import { Module } from '@nestjs/common';
import { JobsController } from './jobs.controller.js';
import { DeadJobs } from './jobs.service.js';

/** What people do about jobs; the jobs themselves are a matter of the platform. */
@Module({ controllers: [JobsController], providers: [DeadJobs] })
export class JobsAdminModule {}
