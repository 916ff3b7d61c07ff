import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { NotificationPageResponse, NotificationResponse, NotificationsQuery } from './dto/notification.dto.js';
import { NotificationsService } from './notifications.service.js';

@ApiTags('notifications')
@ApiBearerAuth()
@Controller('api/notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  /** One's own, newest first. */
  @Get()
  list(@Query() query: NotificationsQuery, @CurrentActor() actor: Actor): Promise<NotificationPageResponse> {
    return this.notifications.page(actor.id, query);
  }

  @HttpCode(200)
  @Post(':id/read')
  read(@Param('id', IdPipe) id: string, @CurrentActor() actor: Actor): Promise<NotificationResponse> {
    return this.notifications.read(actor.id, id);
  }
}
